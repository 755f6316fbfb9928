"""Views of photos, and what a trained model says of each, for a student to learn."""

from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl import _atomic
from kerasdl._checks import check_positive_int
from kerasdl._npz import read_npz
from kerasdl._progress import show_progress
from kerasdl.batches import Batch, BatchStream, TrainingData
from kerasdl.data import ImageData, PhotoBatches

from .outputs import check_outputs, class_probabilities


class TaughtPhotos(TrainingData):
    """Augmented training photos for a student, with the answers of its teacher.

    Teacher and student see the same view of a photo, each at the size it was made for:
    what an augmentation draws is a function of the seed, the epoch and the photo's
    place, whatever the size. So the student gets pixels as it will get them in use, and
    the teacher those it is good at. (VGG-16, trained at 224 pixels, has 0.977 of the
    validation photos of cats and dogs right, and 0.937 and 0.887 of them at 128 and 96,
    sizes of students.)

    A large teacher takes far longer for a view than the student takes to learn from it,
    and a student learns for many epochs (Beyer et al.). So the teacher answers `views`
    passes over the photos, once, before the training: the first epochs. Later ones show
    new views, with the mean of what the teacher said of each photo. (The same views
    again are learned by heart.)

    Args:
        data: one label a photo; `augment`, `batch_size`, `resize`, `oversample` and
            `on_error` are taken from it.
        image_size: of the student, one side or (height, width), in pixels.
        teacher: takes pixels `(batch, height, width, 3)` in [0, 255] and returns
            probabilities; None gives photos and labels alone, in new views each epoch,
            for a student that learns without one.
        views: passes over the photos that the teacher answers.
        folder: keeps the answers, a file for each pass; a second call reads what is
            there, which must be of the same arguments.
        seed: of order and augmentation.

    Attributes:
        stream: the `BatchStream` under `train`; its `next_epoch` may be set.
        valid: None, as `SplitEvaluation` validates the student alone.
        train: tf.data of `((photos, answers), labels)`, an epoch a pass; without a
            teacher of `(photos, labels)`. Photos are float32 `(batch, height, width,
            3)` in [0, 255], answers `(batch, classes)`, labels class indices.

    Raises:
        ValueError: an argument outside its range, several labels a photo, mixed photos,
            or a teacher with another number of outputs than classes.

    Reference:
        Beyer et al., 2022, https://arxiv.org/abs/2106.05237: consistent views, many
        epochs.
    """

    def __init__(
        self,
        data: ImageData,
        image_size: int | tuple[int, int],
        teacher: keras.Model | None = None,
        views: int = 16,
        folder: str | Path | None = None,
        *,
        seed: int,
    ) -> None:
        check_positive_int("views", views)
        if data.labels("train").ndim == 2 or data.mix is not None:
            raise ValueError(
                "`data` must have one label a photo, and photos that are not mixed. "
                f"Received: label_mode={data.label_mode!r}, mix={data.mix!r}"
            )
        self._photos = _photos(data, image_size, seed)
        self._data = data
        self._labels = data.labels("train").astype("int32")
        self.batch_size = data.batch_size
        self._answers: list[list[np.ndarray]] = []
        self.stream = BatchStream(self.batch, self._photos.plan.num_batches)
        if teacher is None:
            return
        if folder is None:
            raise ValueError("`folder` must be given with `teacher`. Received: None")
        check_outputs(teacher, data.class_names)
        seen = _photos(data, teacher.input_shape[1:3], seed)
        sums = np.zeros((len(self._labels), len(data.class_names)), "float32")
        for view in range(views):
            path = Path(folder) / f"answers-{view}.npz"
            title = f"teacher, view {view + 1} of {views}"
            rows, answers, ends = _answers(teacher, seen, view, path, title)
            np.add.at(sums, rows, answers)
            self._answers.append(np.split(answers, ends[:-1]))
        # A photo that cannot be read has no answers, and is not shown.
        self._means = sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-6)

    @property
    def valid(self) -> None:  # noqa: D102 (described with the class)
        return None

    @cached_property
    def train(self) -> tf.data.Dataset:  # noqa: D102 (described with the class)
        specs = (
            tf.TensorSpec((None, *self._photos.image_size, 3), tf.uint8),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None, len(self._data.class_names)), tf.float32),
        )
        if not self._answers:
            dataset = self.stream.dataset(specs[:2])
            dataset = dataset.map(lambda x, y: (tf.cast(x, tf.float32), y))
        else:
            dataset = self.stream.dataset(specs)
            dataset = dataset.map(lambda x, y, a: ((tf.cast(x, tf.float32), a), y))
        return dataset.prefetch(1)

    def batch(self, epoch: int, index: int) -> Batch:
        """Photos uint8, labels and, with a teacher, its answers for one batch."""
        images, rows = self._photos.batch(epoch, index)
        if not self._answers:
            return images, self._labels[rows]
        is_taught = epoch < len(self._answers)
        answers = self._answers[epoch][index] if is_taught else self._means[rows]
        return images, self._labels[rows], answers

    def batch_files(self, index: int) -> list[str]:
        """File names of batch `index` of the pass over `train` that began last."""
        files, plan = self._data.files("train"), self._photos.plan
        return [files[row] for row in plan.rows(self.stream.epoch, index)]

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`, as a resumed run needs."""
        self.stream.next_epoch = epoch


def _photos(
    data: ImageData, image_size: int | tuple[int, int], seed: int
) -> PhotoBatches:
    """The training photos of `data` as seen at a size; labels are their places."""
    pictures = data.pictures("train")
    return PhotoBatches(
        pictures,
        np.arange(len(pictures)),
        image_size,
        data.batch_size,
        data.resize,
        augment=data.augment,
        shuffle=True,
        balance=data.labels("train") if data.oversample else None,
        on_error=data.on_error,
        max_pixels=data.max_pixels,
        seed=seed,
    )


def _answers(
    teacher: keras.Model, photos: PhotoBatches, view: int, path: Path, title: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the teacher says in a pass, computed or read.

    Places of the photos `(n,)` in the order of the pass, probabilities `(n, classes)`,
    and where each batch ends.
    """
    if not path.exists():
        places = range(photos.stream.num_batches)
        count = len(photos.plan.order(view))
        rows, answers = [], []
        for place in show_progress(places, count, title, step=photos.batch_size):
            images, shown = photos.stream.take(view, place)
            outputs = teacher.predict_on_batch(images.astype("float32"))
            rows.append(shown)
            answers.append(class_probabilities(outputs).astype("float32"))
        arrays = {
            "rows": np.concatenate(rows),
            "answers": np.concatenate(answers),
            "ends": np.cumsum(list(map(len, rows))),
        }
        _atomic.write_by(path, lambda file: np.savez(file, **arrays))
    saved = read_npz(path, ("rows", "answers", "ends"))
    return saved["rows"], saved["answers"], saved["ends"]
