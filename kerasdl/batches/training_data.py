"""What training asks of data: two splits, an epoch that can be set, names of rows."""

from typing import Any, Protocol

import keras
import tensorflow as tf

from ._stream import BatchStream


class TrainingData(Protocol):
    """Data that a training goes through, epoch by epoch, and can go on with.

    Ours inherit from it: pyright takes no `cached_property` for a property.

    Attributes:
        train: tf.data of batches for training, one epoch a pass.
        valid: the same for validation; None for none.
        batch_size: rows in a batch of `train`.
        stream: the `BatchStream` under `train`.
    """

    batch_size: int
    stream: BatchStream

    @property
    def train(self) -> tf.data.Dataset: ...  # noqa: D102

    @property
    def valid(self) -> tf.data.Dataset | None: ...  # noqa: D102

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`, as a resumed run needs."""

    def batch_files(self, index: int) -> list[str]:
        """Names of what is in batch `index` of the pass over `train` that began last.

        Files, or whatever tells a person which rows they are.
        """
        ...


def is_training_data(data: Any) -> bool:
    """Whether `data` keeps to `TrainingData`; none of its datasets is made."""
    return hasattr(data, "start_epoch") and hasattr(data, "batch_files")


class Pair:
    """What `fit` takes for training and for validation, by itself.

    It cannot be told of an epoch, and names no rows.

    Args:
        train: one epoch a pass.
        valid: or None.
    """

    def __init__(self, train: Any, valid: Any) -> None:
        self.train = train
        self.valid = valid

    def start_epoch(self, epoch: int) -> None:
        """Nothing: `train` orders itself."""

    def batch_files(self, index: int) -> list[str]:
        """None."""
        return []


def as_training_data(data: Any) -> TrainingData | Pair:
    """`data`, or a pair of training and validation data in its form.

    Raises:
        ValueError: it is neither.
    """
    if is_training_data(data):
        return data
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return Pair(*data)
    raise ValueError(
        "`data` must be an ImageData, or a pair of training and validation data. "
        f"Received: a {type(data).__name__}"
    )


def train_batches(dataset: Any) -> tuple[Any, BatchStream | None]:
    """What `fit` takes of `dataset`, and the stream whose epoch that advances.

    Args:
        dataset: `TrainingData`, or one split with a `stream` and a method `dataset`;
            or a tf.data.Dataset or a PyDataset, of which no stream is known.

    Raises:
        ValueError: it is something else.
    """
    if is_training_data(dataset):
        return dataset.train, dataset.stream
    stream = getattr(dataset, "stream", None)
    if isinstance(stream, BatchStream):
        return dataset.dataset(), stream
    if isinstance(dataset, (tf.data.Dataset, keras.utils.PyDataset)):
        return dataset, None
    raise ValueError(
        "`dataset` must be an ImageData, ActivationData, ActivationBatches, a flow, a "
        f"tf.data.Dataset or a PyDataset. Received: a {type(dataset).__name__}. Make "
        "arrays into `tf.data.Dataset.from_tensor_slices((x, y)).batch(64)`."
    )
