"""Grids of images for TensorBoard: what the network sees, and what it gets right."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl import plots
from kerasdl._checks import check_positive_int, make_writable_folder
from kerasdl.data import ImageData

from .outputs import class_probabilities

_RIGHT, _WRONG = (40, 160, 70), (205, 50, 50)  # RGB of frames
_FRAME = 2  # pixels


class TensorBoardImages(keras.callbacks.Callback):
    """Write grids of images for TensorBoard, beside the scalars of Keras's callback.

    At the start `training`, the first images of an epoch as they are augmented; after
    epochs `validation`, evenly chosen images, framed green where the answer is right
    and red where it is wrong.

    Args:
        log_dir: folder of the logs.
        data: the images, one label each.
        num_images: at most so many in a grid.
        every: number of epochs from one grid to the next.

    Raises:
        ValueError: `num_images` or `every` is below 1; in `fit`, before the first
            batch, data without validation photos, or a folder that cannot be written
            to.
    """

    def __init__(
        self,
        log_dir: str | Path,
        data: ImageData,
        num_images: int = 64,
        every: int = 1,
    ) -> None:
        super().__init__()
        check_positive_int("num_images", num_images)
        check_positive_int("every", every)
        self.log_dir = Path(log_dir)
        self.data = data
        self.num_images = num_images
        self.every = every

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        labels = self.data.labels("valid")
        make_writable_folder("log_dir", self.log_dir)
        count = min(self.num_images, len(labels))
        rows = np.linspace(0, len(labels) - 1, count).round().astype(int)
        self._labels = labels[rows]
        self._images = np.stack([self.data.read("valid", row) for row in rows])
        self._writer = tf.summary.create_file_writer(str(self.log_dir / "images"))
        seen = self.data.stream.make_batch(self.data.stream.next_epoch, 0)[0]
        self._write("training", seen[: self.num_images], 0)

    def on_epoch_end(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if (epoch + 1) % self.every:
            return
        outputs = self.model.predict_on_batch(self._images.astype("float32"))
        right = class_probabilities(outputs).argmax(axis=1) == self._labels
        colours = np.where(right[:, None], _RIGHT, _WRONG).astype("uint8")
        margins = [(0, 0), (_FRAME, _FRAME), (_FRAME, _FRAME), (0, 0)]
        framed = np.pad(self._images, margins)
        framed[:] = colours[:, None, None]
        framed[:, _FRAME:-_FRAME, _FRAME:-_FRAME] = self._images
        self._write("validation", framed, epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        self._writer.close()

    def _write(self, name: str, images: np.ndarray, step: int) -> None:
        grid = plots.tile(images, columns=round(len(images) ** 0.5))
        with self._writer.as_default():
            tf.summary.image(name, grid[None], step)
        self._writer.flush()
