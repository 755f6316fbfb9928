"""Cached activations as seeded tf.data batches, for the layers above a cut."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from kerasdl._checks import check_positive_int
from kerasdl.data import (
    Batch,
    BatchStream,
    epoch_length,
    epoch_order,
    share_of,
    shared_stream,
    with_shares,
)


class ActivationBatches:
    """Batches of activations and labels, functions of (`seed`, epoch, index).

    Their order is that of the photos in `image_folder`: a head learns the same from
    either, as long as no augmentation changes the photos.

    Args:
        views: arrays `(photos, ...)`, memory-mapped or not: the same photos seen in
            different ways (plain, mirrored). An epoch shows each photo once, in a view
            that is drawn; with one view, that one.
        labels: one row for each photo.
        batch_size: photos in a batch.
        shuffle: a new order each epoch.
        balance: class of each photo, if an epoch is to show each class as often as
            the largest; implies `shuffle`.
        seed: of order and views.

    Attributes:
        stream: the `BatchStream` under the dataset; its `next_epoch` may be set.
    """

    def __init__(
        self,
        views: Sequence[np.ndarray],
        labels: np.ndarray,
        batch_size: int = 64,
        shuffle: bool = False,
        *,
        balance: np.ndarray | None = None,
        seed: int = 0,
    ) -> None:
        check_positive_int("batch_size", batch_size)
        if {len(view) for view in views} != {len(labels)}:
            raise ValueError(
                "`views` must hold a row for each of the labels. Received: "
                f"{[len(view) for view in views]} rows, {len(labels)} labels"
            )
        self.views = list(views)
        self.labels = labels
        self.batch_size = batch_size
        self.shuffle = shuffle or balance is not None
        self.seed = seed
        self.balance = balance
        length = epoch_length(len(labels), balance)
        self.stream = BatchStream(self.batch, -(-length // batch_size))

    def dataset(self) -> tf.data.Dataset:
        """tf.data of activations and labels, one epoch a pass."""
        specs = tuple(
            tf.TensorSpec((None, *array.shape[1:]), array.dtype)
            for array in (self.views[0], self.labels)
        )
        shares = shared_stream(self.stream, self._share, self.batch_rows, specs)
        return with_shares(self.stream.dataset(specs).prefetch(1), shares)

    def order(self, epoch: int) -> np.ndarray:
        """Rows in the order of `epoch`."""
        if self.shuffle:
            return epoch_order(len(self.labels), self.balance, self.seed, epoch)
        return np.arange(len(self.labels))

    def batch_rows(self, epoch: int, index: int) -> np.ndarray:
        """Rows of one batch."""
        return self.order(epoch)[index * self.batch_size :][: self.batch_size]

    def _share(self, epoch: int, index: int, number: int, of: int) -> Batch:
        rows = share_of(len(self.batch_rows(epoch, index)), number, of)
        return self.batch(epoch, index, rows)

    def batch(self, epoch: int, index: int, part: slice = slice(None)) -> Batch:
        """Activations and labels of one batch, or of `part` of it."""
        rows = self.batch_rows(epoch, index)[part]
        rng = np.random.default_rng([self.seed, epoch])
        view_of = rng.integers(len(self.views), size=len(self.order(epoch)))
        chosen = view_of[index * self.batch_size :][: self.batch_size][part]
        activations = np.empty((len(rows), *self.views[0].shape[1:]), "float32")
        for i, view in enumerate(self.views):
            activations[chosen == i] = view[rows[chosen == i]]
        return activations, self.labels[rows]
