"""The table that a contest wants: an id for each test photo, and the answer."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from kerasdl._atomic import write_by
from kerasdl._checks import check_one_of, check_writable, first_few
from kerasdl.data import ImageData

from .outputs import class_probabilities

ANSWERS = ("probabilities", "label", "tags")
_TOLERANCE = 1e-3  # of a row's sum: float32, and means of several views


class Submission:
    """Answers for a split, checked against its files.

    Args:
        data: the photos.
        probabilities: `(n, classes)` in [0, 1], columns in the order of
            `data.class_names`; `(n, 1)` is that of the second of two classes. Rows sum
            to 1 unless the data has several labels a photo.
        files: name of each row as in `data.files(split)`, in any order; None if the
            rows are in the order of `data.files(split)`.
        split: name of the split.

    Attributes:
        ids: file names of the split without folders and suffix, in its order.
        probabilities: `(n, classes)`, in the same order.

    Raises:
        ValueError: a file of the split that is missing, unknown or there twice, two
            files with the same id, or values that are not such probabilities.

    Example:
        ```
        found = learn.predict("test")
        rows = kd.predict.Submission(data, found.probabilities, found.files)
        rows.write("submission.csv")
        ```
    """

    def __init__(
        self,
        data: ImageData,
        probabilities: np.ndarray,
        files: Sequence[str] | None = None,
        split: str = "test",
    ) -> None:
        expected = data.files(split)
        probabilities = np.asarray(probabilities)
        if probabilities.ndim == 2 and len(data.class_names) == 2:
            probabilities = class_probabilities(probabilities)
        files = list(expected if files is None else files)
        if probabilities.shape != (len(files), len(data.class_names)):
            raise ValueError(
                "`probabilities` must have a row for each file and a column for each "
                f"class. Received: shape {probabilities.shape} for {len(files)} files "
                f"and {len(data.class_names)} classes"
            )
        _check_files(files, expected)
        self.is_multi_label = data.label_mode == "multi_label"
        _check_values(probabilities, files, not self.is_multi_label)
        self.ids = [PurePosixPath(file).stem for file in expected]
        if len(set(self.ids)) < len(self.ids):
            raise ValueError(
                "Files must differ in their names without folder and suffix, which are "
                f"their ids. Received: {first_few(_repeated(self.ids))} more than once"
            )
        self.class_names = data.class_names
        row_of = {file: row for row, file in enumerate(files)}
        self.probabilities = probabilities[[row_of[file] for file in expected]]

    def to_frame(
        self,
        answer: str = "probabilities",
        id_column: str = "id",
        label_column: str = "label",
        thresholds: float | np.ndarray = 0.5,
    ) -> pd.DataFrame:
        """The table: a row for each photo, its id first.

        Args:
            answer: "probabilities" (a column for each class), "label" (the most
                probable class) or "tags" (each class whose probability is above its
                threshold, else the one that is most above; with spaces between).
            id_column: name of the first column.
            label_column: name of the second one, for "label" and "tags".
            thresholds: for "tags", one or `(classes,)`, as `fit_thresholds` finds.

        Raises:
            ValueError: an unknown answer, one that is not for such labels, thresholds
                of another number, or for "tags" a class name with a space.
        """
        check_one_of("answer", answer, ANSWERS)
        if answer == "probabilities":
            table = pd.DataFrame(self.probabilities, columns=self.class_names)
            table.insert(0, id_column, self.ids, allow_duplicates=True)
            return table
        if (answer == "tags") != self.is_multi_label:
            raise ValueError(
                "`answer` must be 'tags' for data with several labels a photo, and "
                f"'label' for one. Received: answer={answer!r}"
            )
        if answer == "label":
            answers = [self.class_names[c] for c in self.probabilities.argmax(axis=1)]
        else:
            answers = self._tags(thresholds)
        return pd.DataFrame({id_column: self.ids, label_column: answers})

    def write(
        self,
        path: str | Path,
        answer: str = "probabilities",
        compression: str | None = None,
        id_column: str = "id",
        label_column: str = "label",
        thresholds: float | np.ndarray = 0.5,
        *,
        overwrite: bool = False,
    ) -> None:
        """Write `to_frame` as CSV, whole or not at all.

        Args:
            path: the file, such as "submission.csv" or "submission.csv.gz".
            answer: as in `to_frame`.
            compression: "gzip", or None.
            id_column: as in `to_frame`.
            label_column: as in `to_frame`.
            thresholds: as in `to_frame`.
            overwrite: replace a file of that name.

        Raises:
            ValueError: as `to_frame`; an unknown compression; or `path` is no place for
                a file, or exists and `overwrite` is False.
        """
        check_one_of("compression", compression, (None, "gzip"))
        check_writable("path", path)
        if Path(path).exists() and not overwrite:
            raise ValueError(
                "`path` must not exist. Received: "
                f"path={str(path)!r}. Choose another name, or pass overwrite=True."
            )
        table = self.to_frame(answer, id_column, label_column, thresholds)
        # Without the time of writing, equal answers are equal files.
        method = {"method": "gzip", "mtime": 0} if compression else None
        write_by(path, lambda f: table.to_csv(f, index=False, compression=method))

    def _tags(self, thresholds: float | np.ndarray) -> list[str]:
        thresholds = np.asarray(thresholds, float)
        fits = thresholds.shape in ((), (len(self.class_names),))
        if not fits or not np.isfinite(thresholds).all():
            raise ValueError(
                "`thresholds` must be one, or one for each class, all of them numbers. "
                f"Received: shape {thresholds.shape} for {len(self.class_names)} "
                f"classes, {np.count_nonzero(~np.isfinite(thresholds))} no numbers"
            )
        if spaced := [name for name in self.class_names if " " in name]:
            raise ValueError(
                "`answer='tags'` puts spaces between class names, which must have none "
                f"themselves. Received: {first_few(spaced)}"
            )
        above = self.probabilities - thresholds
        chosen = above > 0
        chosen[np.arange(len(chosen)), above.argmax(axis=1)] = True
        names = np.array(self.class_names)
        return [" ".join(names[row]) for row in chosen]


def _check_files(files: list[str], expected: list[str]) -> None:
    missing = sorted(set(expected) - set(files))
    unknown = sorted(set(files) - set(expected))
    twice = _repeated(files)
    for problem, names in (
        ("without", missing),
        ("unknown", unknown),
        ("more than once", twice),
    ):
        if names:
            raise ValueError(
                "`files` must name every file of the split once. Received: "
                f"{problem} {first_few(names)}"
            )


def _check_values(
    probabilities: np.ndarray, files: list[str], sum_to_one: bool
) -> None:
    fits = np.isfinite(probabilities) & (probabilities >= 0) & (probabilities <= 1)
    rows = ~fits.all(axis=1)
    rule = "in [0, 1]"
    if sum_to_one and not rows.any():
        rows = np.abs(probabilities.sum(axis=1) - 1) > _TOLERANCE
        rule = "rows that sum to 1"
    if rows.any():
        first = int(rows.argmax())
        raise ValueError(
            f"`probabilities` must be {rule}. Received: {rows.sum()} other rows, such "
            f"as {probabilities[first][:5].tolist()} for {files[first]!r}"
        )


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
