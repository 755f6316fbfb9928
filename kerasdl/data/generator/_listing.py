"""Which files a flow reads, and their labels: the choices of Keras's legacy class."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasdl._checks import check_class_names, check_directory, check_one_of

from .._listing import class_folders
from .._walk import walk

# Without a dot, as there: whatever ends so is taken for an image.
SUFFIXES = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
DIRECTORY_CLASS_MODES = ("categorical", "binary", "sparse", "input", None)
DATAFRAME_CLASS_MODES = (*DIRECTORY_CLASS_MODES, "raw", "multi_output")
_WITH_CLASSES = ("categorical", "binary", "sparse")


@dataclass(frozen=True)
class Listing:
    """The files of a flow.

    Attributes:
        directory: folder that `filenames` are relative to; may be empty.
        filenames: in the order of an unshuffled pass.
        class_indices: label by class name; None for class modes without classes.
        classes: label per file, or a list of labels; None without classes.
        labels: targets per file: `classes`; the values of "raw"; for "multi_output"
            a list of arrays.
        sample_weight: weight per file, or None.
        allowed_class_modes: those that its source has.
    """

    directory: str
    filenames: list[str]
    class_indices: dict[str, int] | None
    classes: Any
    labels: Any
    sample_weight: np.ndarray | None
    allowed_class_modes: frozenset[str | None]


def subset_bounds(subset: str | None, validation_split: float) -> tuple[float, float]:
    """First and last fraction of the images in `subset`: validation is in front.

    Raises:
        ValueError: there is no such subset, or no `validation_split` to make it by.
    """
    check_one_of("subset", subset, (None, "training", "validation"))
    if subset is None:
        return 0, 1
    if not validation_split:
        raise ValueError(
            "`subset` must be None without a `validation_split`. Received: "
            f"subset={subset!r}. Pass `validation_split=` to ImageDataGenerator."
        )
    return (0, validation_split) if subset == "validation" else (validation_split, 1)


def rows_between(bounds: tuple[float, float], num_rows: int) -> slice:
    """Rows of `subset_bounds`."""
    start, stop = (int(fraction * num_rows) for fraction in bounds)
    return slice(start, stop)


def list_directory(
    directory: str | Path,
    classes: Sequence[str] | None,
    class_mode: str | None,
    follow_links: bool,
    bounds: tuple[float, float],
) -> Listing:
    """List `directory/<class>/**/<image>`, of each class the rows of `bounds`.

    Raises:
        ValueError: no such folder or class, or a class mode that does not fit.
    """
    check_one_of("class_mode", class_mode, DIRECTORY_CLASS_MODES)
    check_directory("directory", directory)
    directory = os.fspath(directory)
    if classes:
        for name in classes:
            check_directory("classes", os.path.join(directory, name))
    else:
        classes = class_folders(Path(directory), _images_below([directory], True)[0])
    if class_mode == "binary":
        _check_binary(len(classes))
    folders = [os.path.join(directory, name) for name in classes]
    filenames, labels = [], []
    for label, files in enumerate(_images_below(folders, follow_links)):
        name = classes[label]
        files = files[rows_between(bounds, len(files))]
        filenames += [os.path.join(name, file) for file in files]
        labels += [label] * len(files)
    labels = np.array(labels, np.int32)
    indices = {name: label for label, name in enumerate(classes)}
    return Listing(
        directory=directory,
        filenames=filenames,
        class_indices=indices,
        classes=labels,
        labels=labels,
        sample_weight=None,
        allowed_class_modes=frozenset(DIRECTORY_CLASS_MODES),
    )


def list_dataframe(
    dataframe: pd.DataFrame,
    directory: str | Path | None,
    x_col: str,
    y_col: str | list[str],
    weight_col: str | None,
    classes: Sequence[str] | None,
    class_mode: str | None,
    validate_filenames: bool,
    bounds: tuple[float, float],
) -> Listing:
    """List the rows of a table; `ImageDataGenerator.flow_from_dataframe` says how.

    Raises:
        ValueError: a column is missing or holds other values than `class_mode` needs.
    """
    check_one_of("class_mode", class_mode, DATAFRAME_CLASS_MODES)
    directory = os.fspath(directory or "")
    columns = _check_columns(dataframe, x_col, y_col, weight_col, class_mode)
    if classes and class_mode not in _WITH_CLASSES:
        raise ValueError(
            f"`classes` must be None for class_mode={class_mode!r}. Received: "
            f"classes={classes!r}"
        )
    table = dataframe
    if validate_filenames:
        table = _existing_images(table, directory, x_col)
    indices = encoded = None
    if class_mode in _WITH_CLASSES:
        table, indices = _keep_classes(table, columns[0], classes)
        check_class_names("y_col", indices)
        if class_mode == "binary":
            _check_binary(len(indices))
    table = table.iloc[rows_between(bounds, len(table))]
    if indices is not None:
        labels = encoded = [_encode(names, indices) for names in table[columns[0]]]
    elif class_mode == "multi_output":
        labels = [np.array(table[column].tolist()) for column in columns]
    else:
        labels = np.asarray(table[y_col]) if class_mode == "raw" else None
    weights = np.asarray(table[weight_col]) if weight_col else None
    return Listing(
        directory=directory,
        filenames=table[x_col].tolist(),
        class_indices=indices,
        classes=encoded,
        labels=labels,
        sample_weight=weights,
        allowed_class_modes=frozenset(DATAFRAME_CLASS_MODES),
    )


def _images_below(folders: Sequence[str], follow_links: bool) -> list[list[str]]:
    """Paths below each folder, by folder, then by name, both as plain strings."""
    return [
        [
            os.path.relpath(os.path.join(root, name), folder)
            for root, names in found
            for name in sorted(names)
            if name.lower().endswith(SUFFIXES)
        ]
        for folder, found in zip(folders, walk(folders, follow_links), strict=True)
    ]


def _check_binary(num_classes: int) -> None:
    if num_classes != 2:
        raise ValueError(
            f"`class_mode` 'binary' must have two classes. Received: {num_classes} "
            "classes. Use 'categorical' or 'sparse', or choose two by `classes`."
        )


def _check_columns(
    table: pd.DataFrame,
    x_col: str,
    y_col: str | list[str],
    weight_col: str | None,
    class_mode: str | None,
) -> list[str]:
    """The columns of targets: none, one, or of "raw" and "multi_output" several."""
    if class_mode in (*_WITH_CLASSES, "multi_output"):
        wanted = list if class_mode == "multi_output" else str
        if not isinstance(y_col, wanted):
            raise ValueError(
                f"`y_col` must be a {wanted.__name__} for class_mode={class_mode!r}. "
                f"Received: y_col={y_col!r}"
            )
    columns = y_col if isinstance(y_col, list) else [y_col]
    if class_mode in (None, "input"):
        columns = []
    if not isinstance(table, pd.DataFrame):
        raise ValueError(
            "`dataframe` must be a pandas DataFrame. Received: "
            f"dataframe={table!r:.100}. `pandas.read_csv` reads one."
        )
    wanted = [("x_col", x_col)]
    if weight_col is not None:
        wanted.append(("weight_col", weight_col))
    wanted += [("y_col", column) for column in columns]
    for name, column in wanted:
        if list(table.columns).count(column) != 1:
            raise ValueError(
                f"`{name}` must name columns of `dataframe`, each there once, which "
                f"has {list(table.columns)}. Received: {name}={column!r}"
            )
    _check_values("x_col", table, x_col, str)
    for column in columns:
        if class_mode in ("binary", "sparse"):
            _check_values("y_col", table, column, str)
        elif class_mode == "categorical":
            _check_values("y_col", table, column, (str, list, tuple))
            each = table.explode(column).dropna(subset=column)
            _check_values("y_col", each, column, str)
        else:
            _check_complete("y_col", table, column)
    if weight_col is None:
        return columns
    if class_mode is None or not pd.api.types.is_numeric_dtype(table[weight_col]):
        raise ValueError(
            "`weight_col` must be a column of numbers, beside targets. Received: "
            f"weight_col={weight_col!r} ({table[weight_col].dtype}), "
            f"class_mode={class_mode!r}"
        )
    _check_complete("weight_col", table, weight_col)
    return columns


def _check_complete(name: str, table: pd.DataFrame, column: str) -> None:
    values = table[column]
    missing = values.isna()
    if pd.api.types.is_float_dtype(values):
        missing |= np.isinf(values)
    if missing.any():
        raise ValueError(
            f"`{name}` must be a column with a finite value in each row. Received: "
            f"{name}={column!r}, which holds {values[missing].iloc[0]} in row "
            f"{int(missing.to_numpy().argmax())} (from 0)"
        )


def _check_values(
    name: str, table: pd.DataFrame, column: str, types: type | tuple[type, ...]
) -> None:
    for value in table[column]:
        if not isinstance(value, types):
            kinds = types if isinstance(types, tuple) else (types,)
            raise ValueError(
                f"`{name}` must be a column of "
                f"{' or '.join(kind.__name__ for kind in kinds)}. Received: "
                f"{name}={column!r}, which holds {value!r}"
            )


def _existing_images(table: pd.DataFrame, directory: str, x_col: str) -> pd.DataFrame:
    """Rows whose file is there and has an image's suffix; the others are named."""
    valid = [
        name.lower().endswith(SUFFIXES)
        and os.path.isfile(os.path.join(directory, name))
        for name in table[x_col]
    ]
    valid = np.array(valid, bool)  # a list of no rows would choose no columns
    left_out = table[x_col][~valid].tolist()
    if left_out:
        names = ", ".join(left_out[:5]) + (", ..." if left_out[5:] else "")
        warnings.warn(
            f"left out {len(left_out)} of {len(table)} rows, no such image: {names}",
            stacklevel=5,
        )
    return table[valid]


def _keep_classes(
    table: pd.DataFrame, y_col: str, classes: Sequence[str] | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows with a label in `classes` (all of them if None), without other labels."""
    if classes:
        classes = list(dict.fromkeys(classes))
        kept = [_labels_in(labels, classes) for labels in table[y_col]]
        table = table.assign(**{y_col: pd.Series(kept, table.index, dtype=object)})
        table = table.dropna(subset=[y_col])
    else:
        classes = sorted({name for labels in table[y_col] for name in _as_list(labels)})
    return table, {name: label for label, name in enumerate(classes)}


def _labels_in(labels: Any, classes: list[str]) -> Any:
    if isinstance(labels, str):
        return labels if labels in classes else None
    return [name for name in labels if name in classes] or None


def _as_list(labels: Any) -> Sequence[str]:
    return [labels] if isinstance(labels, str) else labels


def _encode(labels: Any, indices: dict[str, int]) -> int | list[int]:
    if isinstance(labels, str):
        return indices[labels]
    return [indices[name] for name in labels]
