"""Cached activations as seeded tf.data batches, for the layers above a cut."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from kerasdl.batches import (
    Batch,
    BatchPlan,
    BatchStream,
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
        plan: which photos are in a batch.
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
        if {len(view) for view in views} != {len(labels)}:
            raise ValueError(
                "`views` must hold a row for each of the labels. Received: "
                f"{[len(view) for view in views]} rows, {len(labels)} labels"
            )
        self.views = list(views)
        self.labels = labels
        self.plan = BatchPlan(
            len(labels), batch_size, shuffle, balance=balance, seed=seed
        )
        self.stream = BatchStream(self.batch, self.plan.num_batches)

    def dataset(self) -> tf.data.Dataset:
        """tf.data of activations and labels, one epoch a pass."""
        specs = tuple(
            tf.TensorSpec((None, *array.shape[1:]), array.dtype)
            for array in (self.views[0], self.labels)
        )
        shares = shared_stream(self.stream, self._share, self.plan.rows, specs)
        return with_shares(self.stream.dataset(specs).prefetch(1), shares)

    def batch(self, epoch: int, index: int, part: slice = slice(None)) -> Batch:
        """Activations and labels of one batch, or of `part` of it."""
        rows = self.plan.rows(epoch, index)[part]
        rng = np.random.default_rng([self.plan.seed, epoch])
        view_of = rng.integers(len(self.views), size=len(self.plan.order(epoch)))
        size = self.plan.batch_size
        chosen = view_of[index * size :][:size][part]
        activations = np.empty((len(rows), *self.views[0].shape[1:]), "float32")
        for i, view in enumerate(self.views):
            activations[chosen == i] = view[rows[chosen == i]]
        return activations, self.labels[rows]

    def _share(self, epoch: int, index: int, number: int, of: int) -> Batch:
        rows = share_of(len(self.plan.rows(epoch, index)), number, of)
        return self.batch(epoch, index, rows)
