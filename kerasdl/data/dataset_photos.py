"""Pictures and labels of a tf.data.Dataset, read once, with numbers for file names."""

from typing import Any

import numpy as np
import tensorflow as tf

from kerasdl._pixels import check_pixels
from kerasdl.batches import Batch, without_tuner

from .augment import Augment
from .image_folder import PhotoBatches

_BATCH_SIZE = 32  # of pictures that come one by one


class DatasetPhotos:
    """What evaluates an `ImageData` split evaluates this too, as its only split.

    Pictures stay in memory, in the order of one pass: a dataset that is shuffled gives
    another order each time. Sample weights are left out.

    Args:
        dataset: finite, of (images, labels) or of images alone, in batches or one by
            one; pixels in [0, 255], uint8 or float, labels class indices `(n,)` or
            `(n, 1)`, one-hot, or 0 and 1 for several labels an image.
        num_classes: how many there are; None leaves the labels out.

    Attributes:
        class_names: `dataset.class_names` where it has them, else "0", "1", ...
        image_size: (height, width) in pixels.
        batch_size: images in a batch.

    Raises:
        ValueError: `dataset` is none of these.
    """

    augment = None
    resize = "squash"  # pictures have the model's size
    on_error = "raise"

    def __init__(
        self, dataset: tf.data.Dataset, num_classes: int | None = None
    ) -> None:
        images, labels, self.batch_size = _read(dataset)
        self._images, self.image_size = images, images.shape[1:3]
        self._labels = None
        if labels is not None and num_classes:
            self._labels = _classes(labels, num_classes)
        named = list(getattr(dataset, "class_names", []))
        numbers = [str(number) for number in range(num_classes or 0)]
        self.class_names = named if len(named) == num_classes else numbers

    def files(self, split: str = "") -> list[str]:
        """Numbers as text, from "0" on; the split is of no account, here and below."""
        return [str(number) for number in range(len(self._images))]

    def pictures(self, split: str = "") -> list[np.ndarray]:
        """Pixels of each, rounded to uint8."""
        return list(np.rint(self._images).astype("uint8"))

    def has_labels(self, split: str = "") -> bool:
        """Whether the dataset brings labels."""
        return self._labels is not None

    def labels(self, split: str = "") -> np.ndarray:
        """Class indices `(n,)`, or 0 and 1 `(n, classes)`."""
        if self._labels is None:
            raise ValueError(
                "`data` must yield (images, labels). Received: a dataset of images"
            )
        return self._labels

    def read(self, split: str, row: int) -> np.ndarray:
        """Pixels of one picture."""
        return self._images[row]

    def in_order(self, augment: str | Augment | None, seed: int) -> Any:
        """Batches as `PhotoBatches` gives them; the plain ones are not rounded."""
        plain = _Plain(self._images, self.batch_size)
        if augment is None:
            return plain
        return PhotoBatches(
            self.pictures(),
            np.arange(len(self._images)),
            self.image_size,
            self.batch_size,
            self.resize,
            augment=augment,
            seed=seed,
        )


class _Plain(PhotoBatches):
    """Batches of an array as it is, beside the places of its pictures."""

    def __init__(self, images: np.ndarray, batch_size: int) -> None:
        places = np.arange(len(images))
        super().__init__(list(images), places, images.shape[1:3], batch_size)
        self._images = images

    def batch(self, epoch: int, index: int) -> Batch:
        rows = self.plan.rows(epoch, index)
        return self._images[rows], rows


def _read(dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Images, labels or None, and the size of a batch."""
    spec = dataset.element_spec
    parts = spec if isinstance(spec, tuple) else (spec,)
    shapes = [getattr(part, "shape", None) for part in parts[:2]]
    rank = shapes[0].rank if shapes[0] is not None else None
    if rank not in (3, 4) or None in shapes:
        raise ValueError(
            "`data` must yield (images, labels), in batches or one by one, or images. "
            f"Received: a dataset of {spec}. `dataset.map` brings it into that form."
        )
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "`data` must end. Received: a dataset that repeats for ever. "
            "`dataset.take(n)` gives its first n elements."
        )
    if rank == 3:
        dataset = dataset.batch(_BATCH_SIZE)
    images, labels = [], []
    for element in without_tuner(dataset).as_numpy_iterator():
        batch = element if isinstance(element, tuple) else (element,)
        images.append(batch[0])
        labels += batch[1:2]
    if not images:
        raise ValueError("`data` must hold images. Received: an empty dataset")
    sizes = {part.shape[1:] for part in images}
    if len(sizes) > 1 or images[0].shape[-1] != 3:
        raise ValueError(
            "`data` must have RGB images of one size. Received: images of "
            f"{', '.join(map(str, sorted(sizes)))}"
        )
    check_pixels("data", images)
    pixels = np.concatenate(images)
    return pixels, np.concatenate(labels) if labels else None, len(images[0])


def _classes(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Class indices of integer, binary or one-hot labels; 0 and 1 of several."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 1 and labels.dtype.kind in "iufb":
        indices = labels.astype("int64")
        if (indices == labels).all() and 0 <= indices.min() <= indices.max() < (
            num_classes
        ):
            return indices
    elif labels.shape == (len(labels), num_classes) and np.isin(labels, (0, 1)).all():
        if (labels.sum(axis=1) == 1).all():
            return labels.argmax(axis=1)
        return labels.astype("float32")
    received = f"labels {labels.shape} of {labels.dtype}"
    if labels.dtype.kind in "iufb":
        received += f" from {labels.min()} to {labels.max()}"
    raise ValueError(
        f"`data` must have labels from 0 to {num_classes - 1}, or 0 and 1 for each of "
        f"{num_classes} classes. Received: {received}"
    )
