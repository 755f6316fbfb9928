"""Holes filled, and a column that says where they were."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pandas as pd

from ._columns import check_columns, check_new


def fill_missing(
    frame: pd.DataFrame,
    columns: Sequence[str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Fill holes in columns of numbers or booleans; `<column>_na` says where they were.

    Args:
        frame: the table.
        columns: to fill; None takes the columns of `values`, or all of numbers that
            have holes.
        values: what fills a column; the median where it is not named, of booleans what
            most are. What one call returns fills other rows alike, and gives them the
            same new columns.

    Returns:
        The table, and the values that filled it.

    Raises:
        ValueError: a column is not there, has no number to fill it with, or cannot hold
            what is to; or a name is taken.

    Reference:
        fast.ai, lesson 3; fastai 2.8's `FillMissing`, which also takes the median.
    """
    known = dict(values or {})
    if columns is None:
        columns = [*known] or [
            name
            for name in frame
            if pd.api.types.is_numeric_dtype(frame[name].dtype)
            and frame[name].isna().any()
        ]
    check_columns("columns", frame, columns)
    filled, used = {}, {}
    for name in columns:
        used[name] = known[name] if name in known else _median(frame, name)
        with suppress(TypeError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas, which is to raise one day
            filled[name] = frame[name].fillna(used[name])
        if name not in filled or filled[name].dtype != frame[name].dtype:
            raise ValueError(
                f"`values` must fit their columns. Received: {used[name]!r} for "
                f"{name!r}, of {frame[name].dtype}"
            )
    flags = {f"{name}_na": frame[name].isna() for name in columns}
    check_new(frame, flags)
    return frame.assign(**filled, **flags), used


def _median(frame: pd.DataFrame, name: str) -> Any:
    values = frame[name]
    if not pd.api.types.is_numeric_dtype(values.dtype) or values.isna().all():
        raise ValueError(
            f"`columns` must hold numbers, to take their median. Received: "
            f"{name!r}, of {values.dtype} with {int(values.notna().sum())} values. "
            "Name what fills it in `values`."
        )
    if pd.api.types.is_bool_dtype(values.dtype):
        return bool(values.astype("float64").median() > 0.5)
    median = values.median()
    # Whole numbers stay whole: the median of two may lie between them.
    return int(median) if pd.api.types.is_integer_dtype(values.dtype) else median
