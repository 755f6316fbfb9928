"""Which rows of a table of texts are for training, and what their classes are."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_float

from kerasdl._checks import check_class_names, check_one_of, first_few
from kerasdl.batches import stratified_split

from .columns import find_label_column, find_text_column
from .reading import read_table

SPLITS = ("train", "valid", "test")
_MOST_CLASSES = 1000


def read_splits(
    file: str | Path | Mapping[str, str | Path],
    encoding: str = "utf-8",
    text_column: str | None = None,
    label_column: str | None = None,
) -> pd.DataFrame:
    """Read one table as it is, or one for each split as texts, labels and `split`.

    Args:
        file: a path; or paths by "train", "valid" and "test".
        encoding: of the text.
        text_column: of the texts; None finds it in each file, and prints it.
        label_column: of the labels; the same.

    Returns:
        The one table; or that of all splits, its first two columns by their names in
        the file for training.

    Raises:
        ValueError: a file cannot be read so, or has no such columns.
    """
    if not isinstance(file, Mapping):
        return read_table("file", file, encoding)
    if "train" not in file:
        raise ValueError(
            f"`file` must have a path for 'train'. Received: those of {sorted(file)}"
        )
    for split in file:
        check_one_of("file", split, SPLITS)
    parts: list[pd.DataFrame] = []
    for split in SPLITS:
        if split not in file:
            continue
        name = "file" if split == "train" else f"{split}_data"
        table = read_table(name, file[split], encoding)
        text = find_text_column(table, text_column)
        label = find_label_column(table, text, label_column)
        if text_column is None or label_column is None:
            print(f"texts of {split}: column {text!r}; labels: column {label!r}")
        names = parts[0].columns[:2] if parts else (text, label)
        own = dict(zip(names, (table[text], table[label]), strict=True))
        parts.append(pd.DataFrame({**own, "split": split}))
    return pd.concat(parts, ignore_index=True)


def check_shares(**shares: float) -> None:
    """Raise ValueError unless each is in [0, 1), and `valid` and `test` leave some."""
    for name, value in shares.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            value = -1
        if not 0 <= value < 1:
            raise ValueError(
                f"`{name}` must be at least 0 and below 1. Received: "
                f"{name}={shares[name]!r}"
            )
    if shares["valid"] + shares["test"] >= 1:
        raise ValueError(
            "`valid` and `test` must leave rows for training. Received: "
            f"valid={shares['valid']}, test={shares['test']}"
        )


def label_texts(labels: pd.Series) -> pd.Series:
    """Labels as text, "" where there is none; whole numbers without a point."""
    texts = [
        str(int(value) if is_float(value) and value.is_integer() else value)
        for value in labels.astype(object).where(labels.notna(), "")
    ]
    return pd.Series(texts, labels.index, str).str.strip()


def given_splits(
    frame: pd.DataFrame, column: str, valid: float | None, test: float
) -> np.ndarray:
    """Splits that a column names.

    Args:
        frame: a row for each text.
        column: of "train", "valid" or "test".
        valid: share that is to be drawn of the rows for training, where none is named.
        test: share that is to be drawn, which must be 0.

    Raises:
        ValueError: there is no such column, it names others, or a share is given
            besides what it names.
    """
    if column not in frame:
        raise ValueError(
            "`split_column` must be a column of the table. Received: "
            f"split_column={column!r} of {first_few(list(frame))}"
        )
    others = sorted(set(map(str, frame[column].unique())) - set(SPLITS))
    if others or not (frame[column] == "train").any():
        raise ValueError(
            "`split_column` must say train, valid or test, and train for some rows. "
            f"Received: {first_few(others) if others else 'no train'} in {column!r}"
        )
    if test or (valid and (frame[column] == "valid").any()):
        raise ValueError(
            "`valid` and `test` must be left out where `split_column` says which rows "
            f"they are. Received: {valid=}, {test=}, split_column={column!r}"
        )
    return frame[column].to_numpy(object)


def class_names(labels: pd.Series, column: str) -> list[str]:
    """The classes in output order: numbers by their size, else by letter.

    Raises:
        ValueError: there are fewer than two, or so many that they are no classes.
    """
    names = sorted(set(labels))
    if len(names) < 2 or len(names) > _MOST_CLASSES:
        raise ValueError(
            f"`label_column` must have from 2 to {_MOST_CLASSES} different labels. "
            f"Received: {len(names)} in {column!r} ({first_few(names)})"
        )
    check_class_names("label_column", names)
    if all(name.lstrip("-").isdecimal() and name.isascii() for name in names):
        names.sort(key=int)
    return names


def drawn_splits(labels: pd.Series, valid: float, test: float, seed: int) -> np.ndarray:
    """Draw `test` and then `valid` of each class; the rest is for training."""
    splits = np.full(len(labels), "train", object)
    rest = np.arange(len(labels))
    classes = labels.to_numpy(str)
    for name, share in (("test", test), ("valid", valid / (1 - test))):
        if share:
            kept, drawn = stratified_split(classes[rest], share, seed=seed)
            splits[rest[drawn]] = name
            rest = rest[kept]
    return splits
