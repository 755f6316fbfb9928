"""How good a classifier's answers are: numbers and tables from one pass."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.stats import binomtest
from sklearn import metrics

from kerasdl._described import Described, some
from kerasdl._names import as_text
from kerasdl._numbers import number
from kerasdl.data import DatasetPhotos, ImageData, read_image

from ._check_answers import check_answers
from ._class_scores import average_scores, scores_per_class
from .confusion import row_shares
from .outputs import class_probabilities
from .predict_split import SplitPredictions, known_labels, predict_split
from .reliability import expected_calibration_error
from .split_photos import photos_for

Images = Callable[[int], np.ndarray] | Sequence[str | Path]
_PHOTO_SIDE = 320  # pixels; galleries show no more of a photo
_TOP = 5  # of top-5 accuracy, which says something from 10 classes on


@dataclass(frozen=True, eq=False, repr=False)
class ClassificationReport(Described):
    """Answers of a classifier beside the truth. Build one with a `from_` method.

    Labels of several classes at once are reported class by class: such a report has no
    confusion matrix, but counts `found`, `missed` and `false_alarms` of each class.

    Attributes:
        probabilities: `(n, classes)`, float64 in [0, 1].
        labels: `(n,)` class indices, or `(n, classes)` of 0 and 1.
        class_names: in the order of the columns.
        files: one for each row.
        images: row to RGB pixels in [0, 255], a file for each row, or None.
        threshold: with labels `(n, classes)`, the probability above which a class is
            an answer: one, or one for each class.
        split: name of the split, "" if it is not known.
        left_out: files of the split that have no row because they are damaged.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    class_names: list[str]
    files: list[str]
    images: Images | None = None
    threshold: float | np.ndarray = 0.5
    split: str = ""
    left_out: list[str] = field(default_factory=list)

    @classmethod
    def from_predictions(
        cls,
        probabilities: np.ndarray,
        labels: np.ndarray,
        class_names: Sequence[str],
        files: Sequence[str | Path] | None = None,
        images: Images | None = None,
        *,
        threshold: float | Sequence[float] = 0.5,
        split: str = "",
    ) -> Self:
        """Report on predictions that are there already.

        Args:
            probabilities: `(n, classes)`, or `(n, 1)` of a sigmoid: that of the second
                of two classes.
            labels: the truth in the same order: class indices `(n,)`, or 0 and 1
                `(n, classes)` where several classes may hold at once.
            class_names: in the order of the columns.
            files: a name for each row; None numbers the rows. Bytes that are no text
                become their hexadecimal numbers, here and in class names.
            images: the photos of the galleries: a function of the row that returns RGB
                pixels in [0, 255], or an image file for each row. None shows none.
            threshold: with labels `(n, classes)`, the probability above which a class
                is an answer: one, or one for each class.
            split: its name, which the page shows.

        Raises:
            ValueError: arguments that do not fit together, or values out of range.
        """
        probabilities = np.asarray(probabilities)
        if probabilities.ndim == 2 and len(class_names) == 2:
            probabilities = class_probabilities(probabilities)
        count = len(probabilities)
        names: Iterable[str | Path] = map(str, range(count)) if files is None else files
        limits: Any = threshold  # one, or an array of one for each class
        if not np.isscalar(threshold):
            limits = np.asarray(threshold, "float64")
        report = cls(
            probabilities=probabilities.astype("float64"),
            labels=np.asarray(labels),
            class_names=[as_text(name) for name in class_names],
            files=[as_text(file) for file in names],
            images=images,
            threshold=limits,
            split=split,
        )
        check_answers(
            probabilities=report.probabilities,
            labels=report.labels,
            class_names=report.class_names,
            files=report.files,
            images=images,
            threshold=report.threshold,
        )
        return report

    @classmethod
    def from_model(
        cls,
        model: keras.Model,
        data: ImageData | DatasetPhotos | tf.data.Dataset,
        split: str = "valid",
        *,
        threshold: float | Sequence[float] = 0.5,
        verbose: int = 1,
    ) -> Self:
        """Predict a split in one pass, in the order of its files, and report on it.

        Files that are damaged are named, have no row, and stand in `left_out`.

        Args:
            model: takes pixels in [0, 255] and returns probabilities.
            data: the photos; the galleries show them as the model sees them. A dataset
                is taken as by `predict.predict_split`.
            split: "train", "valid" or "test".
            threshold: as in `from_predictions`.
            verbose: as in `predict.predict_split`.

        Raises:
            ImageError: a damaged file with `data.on_error="raise"`.
            ValueError: an argument outside its range, or no usable file.
        """
        split = "" if isinstance(data, tf.data.Dataset) else split
        data = photos_for(model, data)
        data.labels(split)
        found = predict_split(model, data, split, verbose=verbose)
        places = {file: place for place, file in enumerate(data.files(split))}
        report = cls.from_predictions(
            found.probabilities,
            known_labels(found, "ClassificationReport"),
            data.class_names,
            found.files,
            threshold=threshold,
            split=split,
        )
        # Behind the checks: these are pixels, even where the first few are dark.
        report = replace(
            report, images=lambda row: data.read(split, places[found.files[row]])
        )
        report.left_out.extend(places.keys() - set(found.files))
        report.left_out.sort(key=places.__getitem__)
        return report

    @property
    def multi_label(self) -> bool:
        """Whether several classes may hold at once."""
        return self.labels.ndim == 2

    @cached_property
    def truth(self) -> np.ndarray:
        """Whether each class holds, `(n, classes)`."""
        if self.multi_label:
            return self.labels > 0.5
        return self.labels[:, None] == np.arange(len(self.class_names))

    @cached_property
    def answers(self) -> np.ndarray:
        """Whether each class is an answer of the model, `(n, classes)`."""
        if self.multi_label:
            return self.probabilities > self.threshold
        best = self.probabilities.argmax(axis=1)
        return best[:, None] == np.arange(len(self.class_names))

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether all is right about each photo, `(n,)`."""
        return (self.truth == self.answers).all(axis=1)

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Counts, a row for each true class, a column for each predicted one.

        Raises:
            ValueError: several classes may hold at once.
        """
        if self.multi_label:
            raise ValueError(
                "A confusion matrix needs one class for each photo. Received: labels "
                f"of {self.labels.shape}. `per_class` counts what was found, missed "
                "and falsely alarmed of each class."
            )
        matrix = metrics.confusion_matrix(
            self.labels,
            self.probabilities.argmax(axis=1),
            labels=range(len(self.class_names)),
        )
        return self._square(matrix)

    @property
    def confusion_shares(self) -> pd.DataFrame:
        """`confusion` as shares of each true class; 0 in a class without photos."""
        return self._square(row_shares(self.confusion))

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """A row for each class: `photos` that show it, `found`, `missed` and so on.

        `average_precision` and `roc_auc` are of the class against all others. Numbers
        that a class without photos cannot have are NaN; precision is 0 without answers.
        """
        return scores_per_class(
            self.truth, self.answers, self.probabilities, self.class_names
        )

    @cached_property
    def averages(self) -> pd.DataFrame:
        """Precision, recall and F1 over the classes that have photos.

        Rows: `macro` (every class counts the same), `weighted` (by photos), `micro`
        (over all answers), and with several classes a photo `samples` (over photos).
        """
        return average_scores(self.truth, self.answers, self.multi_label)

    @cached_property
    def summary(self) -> dict[str, float]:
        """The headline numbers.

        `accuracy` is the share of photos with nothing wrong, `accuracy_low` and
        `accuracy_high` its 95 % Wilson interval; `label_accuracy` (several classes a
        photo) counts each class of each photo. `log_loss` is in nats a photo, or a
        class of a photo. `calibration_error` is the expected calibration error of the
        best class's probability, or of all probabilities.
        """
        right, count = int(self.correct.sum()), len(self.correct)
        low, high = binomtest(right, count).proportion_ci(method="wilson")
        numbers: dict[str, Any] = {
            "photos": count,
            "mistakes": count - right,
            "accuracy": right / count,
            "accuracy_low": low,
            "accuracy_high": high,
        }
        if self.multi_label:
            numbers["label_accuracy"] = np.mean(self.truth == self.answers)
        elif len(self.class_names) >= 2 * _TOP:
            numbers[f"top_{_TOP}_accuracy"] = metrics.top_k_accuracy_score(
                self.labels,
                self.probabilities,
                k=_TOP,
                labels=range(len(self.class_names)),
            )
        numbers["macro_f1"] = self.averages.loc["macro", "f1"]
        found = SplitPredictions(self.files, self.labels, self.probabilities)
        numbers["log_loss"] = found.log_loss
        numbers["calibration_error"] = expected_calibration_error(*self.confidences)
        return {
            name: value if isinstance(value, int) else float(value)
            for name, value in numbers.items()
        }

    @cached_property
    def of_truth(self) -> np.ndarray:
        """Probability given to the truth about each photo, `(n,)`.

        With several classes a photo, that of the class it is most wrong about.
        """
        given = np.where(self.truth, self.probabilities, 1 - self.probabilities)
        if self.multi_label:
            return given.min(axis=1)
        return self.probabilities[self.truth]

    @cached_property
    def of_answer(self) -> np.ndarray:
        """Probability of the answer about each photo, `(n,)`.

        With several classes a photo, that of the answer it is least sure of.
        """
        if self.multi_label:
            sure = np.where(self.answers, self.probabilities, 1 - self.probabilities)
            return sure.min(axis=1)
        return self.probabilities.max(axis=1)

    @property
    def confidences(self) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities, and whether what they are given to holds, `(m,)` each.

        Of the best class of each photo, or of all classes where several may hold.
        """
        if self.multi_label:
            return self.probabilities.ravel(), self.truth.ravel()
        return self.of_answer, self.correct

    def image(self, row: int) -> np.ndarray:
        """RGB pixels of a photo, `(height, width, 3)` in [0, 255].

        Raises:
            ImageError: its file cannot be used.
            ValueError: the report has no images.
        """
        if self.images is None:
            raise ValueError(
                "`images` must be given to show photos. Received: images=None"
            )
        if callable(self.images):
            return self.images(row)
        return read_image(self.images[row], (_PHOTO_SIDE, _PHOTO_SIDE))

    def show(self) -> None:
        """Show numbers, confusion, classes, photos and calibration in a notebook.

        Elsewhere the numbers are printed. `interpret.save_report` writes them all.

        Example:
            ```
            learn.report().show()
            ```
        """
        from .show_report import show_report  # it draws what a report holds

        show_report(self)

    def _facts(self) -> dict[str, str]:
        numbers = {
            name.replace("_", " "): number(value)
            for name, value in self.summary.items()
        }
        return {"split": self.split, "classes": some(self.class_names)} | numbers

    def _square(self, matrix: np.ndarray) -> pd.DataFrame:
        true = pd.Index(self.class_names, name="true")
        return pd.DataFrame(matrix, true, true.rename("predicted"))
