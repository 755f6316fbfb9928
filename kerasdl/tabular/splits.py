"""Which rows of a table are for validation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kerasdl._checks import first_few
from kerasdl.batches import stratified_split

from .features._columns import check_columns
from .features.dates import as_dates
from .target import Target
from .values import values_of

Valid = float | Sequence[int] | np.ndarray | pd.Series


def valid_rows(
    frame: pd.DataFrame,
    valid: Valid,
    *,
    valid_after: tuple[str, Any] | None,
    valid_group: str | None,
    target: Target,
    seed: int,
) -> np.ndarray:
    """A boolean for each row of `frame`: whether it is for validation.

    Args:
        frame: the table.
        valid: a share of the rows, or of the groups; or the rows themselves, as numbers
            from 0 on or as a boolean for each.
        valid_after: a column, and the value from which on rows are for validation.
        valid_group: a column whose equal values stay together.
        target: of the whole table; of each of its classes the share is drawn.
        seed: of a draw.

    Raises:
        ValueError: an argument is none of these, two of them exclude each other, or
            one of the two parts would be empty.
    """
    share = _share(valid)
    if valid_after is not None and valid_group is not None:
        raise ValueError(
            "`valid_after` and `valid_group` exclude each other. Received: "
            f"valid_after={valid_after!r}, valid_group={valid_group!r}"
        )
    if valid_after is not None:
        column, first = valid_after
        check_columns("valid_after", frame, [column])
        holes = frame.index[frame[column].isna()]
        if len(holes):
            raise ValueError(
                f"`valid_after` must be a column without holes. Received: {column!r}, "
                f"missing in {len(holes)} rows: {first_few(holes)}"
            )
        kind = type(first)
        values, first = _ordered(frame[column], first)
        try:
            mask = (values >= first).to_numpy(bool)
        except TypeError:
            raise ValueError(
                "`valid_after` must be a column and a value of its type. Received: "
                f"{column!r}, of type {frame[column].dtype}, and a {kind.__name__}"
            ) from None
    elif share is None:
        mask = _given(valid, len(frame))
    elif not 0 < share < 1:
        raise ValueError(
            f"`valid` must be above 0 and below 1, or rows. Received: valid={valid!r}"
        )
    elif valid_group is not None:
        check_columns("valid_group", frame, [valid_group])
        codes, groups = pd.factorize(frame[valid_group], use_na_sentinel=False)
        drawn = np.random.default_rng(seed).permutation(len(groups))
        mask = np.isin(codes, drawn[: max(1, round(share * len(groups)))])
    elif not target.is_regression:
        classes = target.encode(frame[target.name])
        few = np.bincount(classes) < 2
        if few.any():
            names = np.array(target.class_names)[few].tolist()
            raise ValueError(
                "`target` must have two rows of each class, for training and "
                f"validation. Received: {target.name!r}, with one of {first_few(names)}"
                '. Leave these rows out; numbers as such are task="regression".'
            )
        mask = np.zeros(len(frame), bool)
        mask[stratified_split(classes, share, seed=seed)[1]] = True
    else:
        mask = np.zeros(len(frame), bool)
        drawn = np.random.default_rng(seed).permutation(len(frame))
        mask[drawn[: max(1, round(share * len(frame)))]] = True
    if mask.all() or not mask.any():
        raise ValueError(
            "Training and validation must have rows both. Received: "
            f"{int((~mask).sum())} for training, {int(mask.sum())} for validation"
        )
    return mask


def _ordered(column: pd.Series, first: Any) -> tuple[pd.Series, Any]:
    """Column and value as dates or numbers, of which both may have come as text."""
    kinds, column = pd.api.types, values_of(column)
    if kinds.is_numeric_dtype(column.dtype) and isinstance(first, str):
        try:
            return column, float(first)
        except ValueError:
            return column, first
    is_date = (
        kinds.is_datetime64_any_dtype(column.dtype)
        or kinds.infer_dtype(column) == "date"  # as of Parquet's days
    )
    are_text = isinstance(first, str) and kinds.infer_dtype(column) == "string"
    if kinds.is_number(first) or not (is_date or are_text):
        return column, first
    dates = as_dates(column)
    try:
        return dates, pd.to_datetime(first, format="ISO8601")
    except (ValueError, TypeError):
        raise ValueError(
            "`valid_after` must be a column and a value of its type, such as "
            f"2015-06-14. Received: {column.name!r} and {first!r}"
        ) from None


def _share(valid: Valid) -> float | None:
    if isinstance(valid, (int, float)) and not isinstance(valid, bool):
        return valid
    return None


def _given(valid: Valid, num_rows: int) -> np.ndarray:
    rows = np.asarray(valid)
    if rows.dtype == bool and rows.shape == (num_rows,):
        return rows
    mask = np.zeros(num_rows, bool)
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise ValueError(
            "`valid` must be a share, numbers of rows, or a boolean for each row. "
            f"Received: an array {rows.shape} of {rows.dtype} for {num_rows} rows"
        )
    outside = rows[(rows < 0) | (rows >= num_rows)]
    if len(outside):
        raise ValueError(
            f"`valid` must be numbers of rows from 0 to {num_rows - 1}. Received: "
            f"{first_few(outside.tolist())}"
        )
    mask[rows] = True
    return mask
