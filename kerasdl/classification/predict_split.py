"""What a model says of a whole split, keyed by file, from one pass in file order."""

from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from sklearn import metrics

from kerasdl._checks import check_one_of
from kerasdl._described import Described, some
from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress
from kerasdl.data import DatasetPhotos, ImageData

from .outputs import check_numbers, check_outputs, class_probabilities
from .split_photos import SplitPhotos, photos_for, photos_in_order, read_rows


@dataclass(frozen=True, eq=False, repr=False)
class SplitPredictions(Described):
    """What a model says of the photos of a split, in the order of its files.

    Attributes:
        files: the files as `data.files(split)` names them, without damaged ones.
        labels: the true class of each, `(n,)` indices or `(n, classes)` of 0 and 1;
            None for photos without labels.
        probabilities: `(n, classes)`, also for a one-unit sigmoid.
    """

    files: list[str]
    labels: np.ndarray | None
    probabilities: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of right answers, in [0, 1].

        Of photos whose most probable class is the true one; with labels `(n, classes)`
        of all single ones, an answer being a probability above 0.5, as in Keras.

        Raises:
            ValueError: the photos have no labels.
        """
        labels = known_labels(self, "accuracy")
        if labels.ndim == 2:
            return float(np.mean((self.probabilities > 0.5) == (labels > 0.5)))
        return float(np.mean(self.probabilities.argmax(axis=1) == labels))

    @property
    def log_loss(self) -> float:
        """Cross-entropy in nats a photo, or with labels `(n, classes)` a single label.

        Probabilities are kept from 0 and 1 by the resolution of their type.

        Raises:
            ValueError: the photos have no labels.
        """
        labels = known_labels(self, "log_loss")
        if labels.ndim == 2:
            truth, shares = labels.ravel() > 0.5, self.probabilities.ravel()
            return float(metrics.log_loss(truth, shares, labels=[False, True]))
        # scikit-learn's check of the sums is stricter than float32 outputs are.
        shares = self.probabilities / self.probabilities.sum(axis=1, keepdims=True)
        classes = range(shares.shape[1])
        return float(metrics.log_loss(labels, shares, labels=classes))

    def _facts(self) -> dict[str, str]:
        count, classes = self.probabilities.shape
        facts = {
            "photos": f"{count:,}: {some(self.files, 3)}",
            "probabilities": f"of {classes} classes",
        }
        if self.labels is None or not count:
            return facts | {"labels": "none"}
        measured = {"accuracy": self.accuracy, "log loss": self.log_loss}
        return facts | {name: f"{value:.4f}" for name, value in measured.items()}


def known_labels(found: SplitPredictions, name: str) -> np.ndarray:
    """The labels of photos; raise ValueError unless there are some, as `name` needs."""
    if found.labels is None:
        raise ValueError(
            f"`{name}` needs photos with labels. Received: labels=None. "
            "`predict.Submission` writes answers for photos without."
        )
    return found.labels


def predict_split(
    model: keras.Model,
    data: ImageData | DatasetPhotos | tf.data.Dataset,
    split: str = "valid",
    *,
    verbose: int = 1,
) -> SplitPredictions:
    """Run `model` once over the plain photos of a split.

    Args:
        model: takes pixels `(batch, height, width, 3)` in [0, 255] and returns
            probabilities `(batch, classes)`, or that of the second of two alone.
        data: the photos; each batch has `data.batch_size` of them. A dataset as
            `data.DatasetPhotos` takes it has numbers for file names.
        split: "train", "valid" or "test"; of a dataset all is taken.
        verbose: 1 shows a progress bar, or ten lines where stderr is not a terminal;
            0 shows nothing.

    Raises:
        ImageError: a damaged file with `data.on_error="raise"`; with "skip" it is named
            and left out.
        ValueError: an argument outside its range, or a model with another number of
            outputs than classes.

    Example:
        ```
        found = kd.predict.predict_split(model, data, "valid")
        found.accuracy, found.log_loss
        ```
    """
    check_one_of("verbose", verbose, (0, 1))
    data = photos_for(model, data)
    check_outputs(model, data.class_names)
    photos = photos_in_order(data, split)
    outputs = np.zeros((len(photos.pictures), model.output_shape[-1]), "float32")
    kept = []
    batches = map_ahead(partial(read_rows, photos, 0), range(photos.stream.num_batches))
    if verbose:
        batches = show_progress(batches, len(outputs), split, step=data.batch_size)
    for rows, images in batches:
        if len(rows):
            outputs[rows] = model.predict_on_batch(images)
            kept.extend(rows)
    return of_rows(data, split, np.array(kept, int), outputs)


def of_rows(
    data: SplitPhotos, split: str, rows: np.ndarray, outputs: np.ndarray
) -> SplitPredictions:
    """The predictions of the photos in places `rows` of `split`.

    Raises:
        ValueError: there are none, or outputs that are no numbers.
    """
    files = data.files(split)
    if not len(rows):
        raise ValueError(
            "`split` must have a photo that is not damaged. Received: "
            f"split={split!r}, with {len(files)} damaged ones"
        )
    named = [files[row] for row in rows]
    check_numbers(outputs[rows], named)
    return SplitPredictions(
        files=named,
        labels=data.labels(split)[rows] if data.has_labels(split) else None,
        probabilities=class_probabilities(outputs[rows].astype("float32")),
    )
