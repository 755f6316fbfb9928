"""Parts of a date as columns."""

import re
from contextlib import suppress

import numpy as np
import pandas as pd

from kerasdl._checks import first_few

from ..values import is_hole, wrong_values
from ._columns import check_columns, check_new

_NUMBERS = {
    "Year": "year",
    "Month": "month",
    "Week": None,
    "Day": "day",
    "Dayofweek": "dayofweek",
    "Dayofyear": "dayofyear",
}
_FLAGS = {
    f"Is_{part}_{side}": f"is_{part}_{side}"
    for part in ("month", "quarter", "year")
    for side in ("end", "start")
}
_DATES = (
    "dates, or text such as 2015-06-14 (`pandas.to_datetime` with a `format` makes "
    "them of other text)"
)
_TIMES = {"Hour": "hour", "Minute": "minute", "Second": "second"}


def add_datepart(
    frame: pd.DataFrame,
    column: str,
    prefix: str | None = None,
    drop: bool = True,
    time: bool = False,
) -> pd.DataFrame:
    """Add the lesson's columns of a date.

    Year, Month, Week (ISO), Day, Dayofweek (Monday is 0), Dayofyear, Is_month_end,
    Is_month_start, Is_quarter_end, Is_quarter_start, Is_year_end, Is_year_start and
    Elapsed (seconds since 1970, in UTC).

    A date with a time zone gives the parts of its own clock. Of a missing date every
    part is missing; whole numbers are then of pandas's types that can be.

    Args:
        frame: with the column; it stays as it is.
        column: of dates, or of text such as 2015-06-14 or 2015-06-14 12:30 (ISO 8601).
            Of other text nobody knows whether the day or the month comes first.
        prefix: of the new names; None is `column` without "Date" at its end.
        drop: leave `column` out of the answer.
        time: add Hour, Minute and Second.

    Raises:
        ValueError: there is no such column, it holds something else, or a name is
            taken.

    Reference:
        fast.ai, lesson 3; fastai 2.8's `add_datepart`, whose answers these are where
        no date is missing. Its Elapsed counts on nanoseconds: of pandas 3's dates, in
        microseconds, it is a thousandth.
    """
    check_columns("column", frame, [column])
    prefix = _prefix(column) if prefix is None else prefix
    # The parts of each date once.
    codes, days = pd.factorize(as_dates(frame[column]))
    dates = pd.DatetimeIndex(days)
    wanted = _NUMBERS | _FLAGS | (_TIMES if time else {})
    parts = {
        name: dates.isocalendar().week if part is None else getattr(dates, part)
        for name, part in wanted.items()
    }
    parts["Elapsed"] = _seconds(dates)
    missing = codes < 0
    added = {}
    for name, values in parts.items():
        array = np.asarray(values)
        kind = bool if name in _FLAGS else "int64" if name == "Elapsed" else "int16"
        if not len(array):
            array = np.zeros(1, kind)
        column_of = pd.Series(array.astype(kind)[codes], frame.index)
        if missing.any():
            nullable = {"bool": "boolean", "int64": "Int64", "int16": "Int16"}
            column_of = column_of.astype(nullable[column_of.dtype.name])
            column_of[missing] = pd.NA
        added[prefix + name] = column_of
    kept = frame.drop(columns=column) if drop else frame
    check_new(kept, added)
    return kept.assign(**added)


def part_names(column: str) -> list[str]:
    """Names of the columns that `add_datepart` adds, without those of the time."""
    return [f"{_prefix(column)}{part}" for part in (*_NUMBERS, *_FLAGS, "Elapsed")]


def _prefix(column: str) -> str:
    return re.sub("[Dd]ate$", "", column)


def as_dates(column: pd.Series) -> pd.Series:
    """Dates as they are, and text of ISO 8601 as dates.

    Raises:
        ValueError: it holds something else; the message names column and row.
    """
    held = ~is_hole(column)
    if pd.api.types.is_numeric_dtype(column.dtype) and held.any():
        raise wrong_values(column, held, _DATES)
    with suppress(ValueError, TypeError):
        return pd.to_datetime(column, format="ISO8601")
    try:
        dates = pd.to_datetime(column, format="ISO8601", errors="coerce")
    except (ValueError, TypeError) as error:  # such as dates of two time zones
        raise ValueError(
            f"Column {column.name!r} must hold {_DATES}. Received: "
            f"{first_few(column[held].unique())} ({error})"
        ) from None
    raise wrong_values(column, dates.isna() & held, _DATES)


def _seconds(dates: pd.DatetimeIndex) -> np.ndarray:
    utc = dates if dates.tz is None else dates.tz_convert("UTC").tz_localize(None)
    return utc.to_numpy().astype("datetime64[s]").astype("int64")
