"""Tables that name photos and their labels: what `ImageData.from_table` reads."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasdl._checks import first_few
from kerasdl.tables import read_csv

from ._folder_splits import class_list, positions
from ._photo_list import PhotoList, held_out


def read_table(
    table: str | Path | pd.DataFrame,
    folder: Path,
    image: str,
    label: str | Sequence[str],
    suffix: str,
    label_delimiter: str | None,
    exclude: Collection[str],
    valid: Any = None,
) -> tuple[list[str], PhotoList, frozenset[str] | None]:
    """Class names and photos of a table, and what of these is for validation.

    `ImageData.from_table` says how. Positions in `valid` are rows of the table.

    Raises:
        ValueError: the table, or what it names, cannot be used.
    """
    if label_delimiter == "":
        raise ValueError(
            "`label_delimiter` must be None or text between labels. "
            "Received: label_delimiter=''"
        )
    is_column = isinstance(label, str)
    if not is_column:
        _check_columns(label, label_delimiter)
    rows = _read(table, image, label)
    names = _names(rows[image])
    if is_column:
        labels = [_words(text, label_delimiter) for text in rows[label]]
    else:
        labels = _marked(rows[list(label)])
    without = [name for name, words in zip(names, labels, strict=True) if not words]
    if without and is_column and label_delimiter is None:
        raise ValueError(
            f"`table` must have a label in column {label!r} of each row. Received: "
            f"none for {first_few(without)}"
        )
    files = [f"{name}{suffix}" for name in names]
    if missing := [file for file in files if not os.path.isfile(folder / file)]:
        raise ValueError(
            "`table` must name files that exist, as `folder`/`image` + `suffix`. "
            f"Received: folder={str(folder)!r}, suffix={suffix!r}, without "
            f"{first_few(missing)}."
        )
    words = {word for words in labels for word in words}
    class_names = class_list("table", words) if is_column else list(label)
    if label_delimiter is None and all(len(words) == 1 for words in labels):
        encoded = positions([words[0] for words in labels], class_names)
    else:
        encoded = _multi_hot(labels, class_names)
    listed = PhotoList.below(folder, files, encoded)
    valid = held_out(listed, valid, exclude)
    return class_names, listed.without(exclude, class_names, folder), valid


def _read(
    table: str | Path | pd.DataFrame, image: str, label: str | Sequence[str]
) -> pd.DataFrame:
    """The named columns as text without blanks around it, "" for nothing."""
    labels = [label] if isinstance(label, str) else list(label)
    where = ""
    if isinstance(table, pd.DataFrame):
        rows: Any = table
    else:
        where = f" for table={str(table)!r}"
        if not isinstance(table, (str, Path)) or not os.path.isfile(table):
            raise ValueError(
                "`table` must be a DataFrame or an existing CSV file. "
                f"Received: table={str(table)!r:.200}"
            )
        # As text: 007 stays what it is, and a label may be "NA".
        rows = read_csv("table", table, dtype=str, keep_default_na=False)
    for name, column in [("image", image), *(("label", column) for column in labels)]:
        if list(rows.columns).count(column) != 1:
            raise ValueError(
                f"`{name}` must name a column of `table`, which has "
                f"{list(rows.columns)}. Received: {name}={column!r}{where}"
            )
    return pd.DataFrame(
        {
            column: [_cell(value, column) for value in rows[column]]
            for column in (image, *labels)
        },
        dtype=object,  # names may be no UTF-8
    )


def _cell(value: Any, column: str) -> str:
    if pd.api.types.is_list_like(value):
        raise ValueError(
            "`table` must hold one text or number in each field; several labels stand "
            f"in one text, as `label_delimiter` divides it. Received: {value!r:.100} "
            f"in column {column!r}"
        )
    return "" if pd.isna(value) else str(value).strip()


def _names(column: pd.Series) -> list[str]:
    """The names of the photos: in each row one, and each once."""
    if not len(column):
        raise ValueError("`table` must have rows. Received: 0 rows")
    if not column.all():
        raise ValueError(
            f"`table` must have a name in column {column.name!r} of each row. "
            f"Received: none in row {int((column == '').argmax())} (from 0)"
        )
    places = [os.path.normpath(name) for name in column]  # 1 and ./1 are one
    repeated = pd.Series(places, dtype=object).duplicated()
    if repeated.any():
        raise ValueError(
            "`table` must have each image once. Received: "
            f"{first_few(column[repeated].unique())} more than once"
        )
    return column.tolist()


def _words(text: str, delimiter: str | None) -> list[str]:
    words = [text] if delimiter is None else text.split(delimiter)
    return [word.strip() for word in words if word.strip()]


def _check_columns(columns: Sequence[str], label_delimiter: str | None) -> None:
    if len(columns) < 2 or len(set(columns)) < len(columns):
        raise ValueError(
            "`label` must be a column, or two or more different ones. Received: "
            f"label={columns!r}"
        )
    if label_delimiter is not None:
        raise ValueError(
            "`label_delimiter` must be None where `label` names a column for each "
            f"class. Received: label_delimiter={label_delimiter!r}"
        )


def _marked(columns: pd.DataFrame) -> list[list[str]]:
    """Of each row, the names of the columns that say yes."""
    answers = {"1": True, "1.0": True, "true": True}
    answers |= {"0": False, "0.0": False, "false": False}
    marks = columns.apply(lambda column: column.str.lower().map(answers))
    if marks.isna().any(axis=None):
        row, place = np.argwhere(marks.isna().to_numpy())[0]
        raise ValueError(
            "`table` must have 0 or 1 in each column of `label`. Received: "
            f"{columns.iloc[row, place]!r} in column {columns.columns[place]!r}, row "
            f"{row} (from 0)"
        )
    names = columns.columns.to_numpy()
    return [names[row].tolist() for row in marks.to_numpy(bool)]


def _multi_hot(words: list[list[str]], class_names: list[str]) -> np.ndarray:
    index = {name: number for number, name in enumerate(class_names)}
    hot = np.zeros((len(words), len(class_names)), "float32")
    for row, labels in zip(hot, words, strict=True):
        row[[index[word] for word in labels]] = 1
    return hot
