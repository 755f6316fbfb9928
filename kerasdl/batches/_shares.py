"""Each device's share of every batch, for training on several devices or machines."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ._stream import Batch, BatchStream

_ATTRIBUTE = "_kerasdl_shares"


def share_of(count: int, number: int, of: int) -> slice:
    """Rows of a batch of `count` that are share `number` of `of`; perhaps none."""
    return slice(count * number // of, count * (number + 1) // of)


def shared_stream(
    stream: BatchStream,
    make_share: Callable[[int, int, int, int], Batch],
    batch_rows: Callable[[int, int], np.ndarray],
    signature: Any,
) -> Callable[[Sequence[int], int], tf.data.Dataset]:
    """A function that makes tf.data of some shares of what `stream` yields.

    Args:
        stream: its epochs are those of the shares.
        make_share: returns the nest of arrays of a share, given epoch, batch, and the
            share's number and how many there are.
        batch_rows: returns the places of a batch's rows, those that cannot be read
            among them, given epoch and batch.
        signature: as of `BatchStream.dataset`.
    """

    def shares(numbers: Sequence[int], of: int) -> tf.data.Dataset:
        def make_batch(epoch: int, index: int) -> Batch:
            batch, place = divmod(index, len(numbers))
            if len(batch_rows(epoch, batch)) < of:
                share, counts = make_share(epoch, batch, 0, 1), numbers[place] == 0
            else:
                share, counts = make_share(epoch, batch, numbers[place], of), True
            count = len(tf.nest.flatten(share)[0])
            if count:
                return share, np.int64(count if counts else 0)
            # Keras takes no empty batch: a row of zeros, which counts nothing.
            zeros = tf.nest.map_structure(
                lambda array: np.zeros((1, *array.shape[1:]), array.dtype), share
            )
            return zeros, np.int64(0)

        own = BatchStream(make_batch, stream.num_batches * len(numbers))
        own.begin_epoch = stream.begin_epoch
        return own.dataset((signature, tf.TensorSpec((), tf.int64)))

    return shares


def with_shares(
    dataset: tf.data.Dataset, shares: Callable[[Sequence[int], int], tf.data.Dataset]
) -> tf.data.Dataset:
    """`dataset`, which remembers how to make shares of itself."""
    setattr(dataset, _ATTRIBUTE, shares)
    return dataset


def shares(
    dataset: tf.data.Dataset, numbers: Sequence[int], of: int
) -> tf.data.Dataset:
    """Shares `numbers` of each batch in turn, with how many of their rows count.

    Of a dataset that knows how (`with_shares`), such as those of an `ImageData`, no
    more than these rows is read and decoded. Of any other, whole batches are made and
    cut.

    Args:
        dataset: batches.
        numbers: of shares, from 0.
        of: number of shares a batch has.

    Returns:
        `len(numbers)` elements `(share, rows)` a batch. Of a batch with fewer rows than
        shares each is the whole batch, so that BatchNorm with `synchronized=True` finds
        its statistics, and `rows` is 0 but for the first. A share of which nothing can
        be read is one row of no meaning, with `rows` 0.
    """
    if hasattr(dataset, _ATTRIBUTE):
        return getattr(dataset, _ATTRIBUTE)(numbers, of)

    def cut(first: Any, *rest: Any) -> tf.data.Dataset:
        batch = (first, *rest) if rest else first
        count = tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0]

        def one(number: tf.Tensor) -> tuple[Any, tf.Tensor]:
            is_short, none = count < of, tf.constant(0, tf.int64)
            start = tf.where(is_short, none, count * number // of)
            end = tf.where(is_short, count, count * (number + 1) // of)
            rows = keras.tree.map_structure(lambda t: t[start:end], batch)
            return rows, tf.where(is_short & (number > 0), none, end - start)

        places = tf.constant(list(numbers), tf.int64)
        return tf.data.Dataset.from_tensor_slices(places).map(one)

    total = dataset.cardinality()
    cut_up = dataset.flat_map(cut)
    if total < 0:
        return cut_up
    known = tf.data.experimental.assert_cardinality(total * len(numbers))
    return cut_up.apply(known)
