"""Values of a column: what they are, and errors that name the row of a wrong one."""

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

# Whole numbers that float32, in which a model takes them, tells apart.
_LARGEST = 2**24
_FLAGS = ("True", "False", "TRUE", "FALSE", "true", "false")  # as pandas reads them
_MOST = 1e18  # to it, float32 standardises without overflow
_STEPS = 32  # of float32 in a standard deviation, at least


def values_of(column: pd.Series) -> pd.Series:
    """`column` in the type of what it holds.

    pandas's categories become their values. Objects that are all numbers or booleans,
    as of a CSV file with holes between True and False, become numbers.
    """
    kinds = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype):
        held = column.cat.categories.dtype
        column = column.astype(object if kinds.is_numeric_dtype(held) else held)
    if column.dtype != object or kinds.infer_dtype(column) in ("string", "empty"):
        return column
    is_number = column.dropna().map(kinds.is_number).all()
    return _as_numbers(column) if is_number else column


def is_hole(column: pd.Series) -> np.ndarray:
    """Where a value is missing; in text, "" is missing too, as in a CSV file."""
    holes = column.isna().to_numpy()
    is_text = not pd.api.types.is_numeric_dtype(column.dtype)
    return holes | (column == "").to_numpy(bool, na_value=False) if is_text else holes


def check_text(column: pd.Series) -> pd.Series:
    """`column` if it holds text and holes.

    Raises:
        ValueError: it holds anything else.
    """
    column = values_of(column)
    if pd.api.types.is_string_dtype(column.dtype) and column.dtype != object:
        return column
    wrong = ~column.map(lambda value: isinstance(value, str)) & column.notna()
    if wrong.any():
        raise wrong_values(column, wrong, "text, as in training")
    return column


def check_whole(column: pd.Series) -> pd.Series:
    """`column` as float64, if it holds whole numbers of less than 2**24 and holes.

    Raises:
        ValueError: it holds anything else.
    """
    values = check_numbers(column)
    found = values.to_numpy("float64", na_value=np.nan)
    wrong = ~np.isnan(found) & ((found != np.rint(found)) | (abs(found) >= _LARGEST))
    if wrong.any():
        raise wrong_values(
            column,
            wrong,
            f"whole numbers below {_LARGEST:,} to be categories (of others "
            f"`frame[{column.name!r}].astype(str)` makes text, which may be)",
        )
    return pd.Series(found, column.index, name=column.name)


def check_numbers(column: pd.Series) -> pd.Series:
    """`column` if it holds numbers or booleans, and holes.

    Raises:
        ValueError: it holds anything else, or a number beyond 1e18.
    """
    column = values_of(column)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        if column.isna().all():
            return pd.Series(np.nan, column.index, name=column.name)
        wrong = column.notna() & ~column.map(pd.api.types.is_number)
        text = column.where(column.map(lambda value: isinstance(value, str)))
        # One text makes all of a file's column text: "12" is not what is wrong in it.
        reads = pd.to_numeric(text, errors="coerce").notna() | text.isin(_FLAGS)
        worst = wrong & ~reads
        raise wrong_values(column, worst if worst.any() else wrong, "numbers")
    values = column.to_numpy("float64", na_value=np.nan)
    if (abs(values) > _MOST).any():
        raise wrong_values(
            column, abs(values) > _MOST, f"finite numbers up to {_MOST:g}"
        )
    return column


def spread_of(name: str, values: np.ndarray, least: float = 0.0) -> float:
    """The standard deviation of numbers; 1 where all are equal.

    Args:
        name: of their column.
        values: float64.
        least: below which it cannot be used.

    Raises:
        ValueError: it is below `least`, or float32 does not tell the numbers apart.
    """
    # Rounding leaves a trace of a spread in columns of one value.
    if values.min() == values.max():
        return 1.0
    spread = float(values.std())
    step = float(np.spacing(np.float32(np.abs(values).max())))
    least = max(least, _STEPS * step)
    if spread < least:
        raise ValueError(
            f"Column {name!r} must spread by at least {least:.2g} to be told apart as "
            f"float32. Received: a standard deviation of {spread:.2g} around "
            f"{values.mean():.6g}. Subtract its smallest value or take a smaller unit."
        )
    return spread


def _as_numbers(column: pd.Series) -> pd.Series:
    with suppress(OverflowError):
        numbers = pd.to_numeric(column)
        if numbers.dtype != object:
            return numbers
    # Of more than 64 bits: `check_numbers` names the row.
    return column.map(_as_float, na_action="ignore").astype("float64")


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def wrong_values(column: pd.Series, rows: Any, what: str) -> ValueError:
    """The error that names the first of the wrong `rows`, a boolean for each."""
    places = np.flatnonzero(np.asarray(rows, bool))
    value, row = plain(column.iloc[places[0]]), plain(column.index[places[0]])
    return ValueError(
        f"Column {column.name!r} must hold {what}. Received: {value!r} in row {row!r}, "
        f"one of {len(places)} such rows"
    )


def plain(value: Any) -> Any:
    """`value` as Python has it, for a message."""
    return value.item() if isinstance(value, np.generic) else value
