"""What happened in a group before and after each of its days."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from ._columns import check_columns, check_new


def add_elapsed(
    frame: pd.DataFrame, events: Sequence[str], date: str, group: str
) -> pd.DataFrame:
    """Add the days since the last event of a group, and those until its next.

    `After<event>` and `Before<event>`, float32, at least 0; 0 on a day of the event
    itself, missing where the group has none on that side.

    Args:
        frame: rows in any order, which they keep.
        events: columns of numbers or booleans; what is not 0 happened.
        date: column of dates.
        group: column that says whose days they are.

    Raises:
        ValueError: a column is not there, `date` holds no dates or holes, or a name is
            taken.

    Reference:
        fast.ai, lesson 3; fastai 2.8's `add_elapsed_times` has the same After, counts
        Before in negative numbers, and 0 where there is no event.
    """
    keys, days = _sorted_keys(frame, [*events], date, group)
    order, codes, day = keys
    added = {}
    place = np.arange(len(order))
    starts = np.r_[True, codes[1:] != codes[:-1]] if len(order) else place
    first = np.maximum.accumulate(np.where(starts, place, 0))
    for event in events:
        happened = _happened(frame, event)[order]
        last = np.maximum.accumulate(np.where(happened, place, -1))
        since = np.where(last >= first, day - day[np.maximum(last, 0)], np.nan)
        following = np.minimum.accumulate(np.where(happened, place, len(place))[::-1])
        following = following[::-1]
        inside = np.minimum(following, len(place) - 1)
        same = (following < len(place)) & (codes[inside] == codes)
        until = np.where(same, day[inside] - day, np.nan)
        for name, values in ((f"After{event}", since), (f"Before{event}", until)):
            added[name] = np.empty(len(order), "float32")
            added[name][order] = values
    check_new(frame, added)
    return frame.assign(**added)


def rolling_by_group(
    frame: pd.DataFrame, columns: Sequence[str], date: str, group: str, days: int = 7
) -> pd.DataFrame:
    """Add the sums of `columns` over the last and the coming days of each group.

    `<column>_bw` sums the row's day and the `days - 1` before it, `<column>_fw` its day
    and those after it. Days without a row count as 0, which is why days are counted
    and not rows.

    Args:
        frame: rows in any order, which they keep.
        columns: of numbers or booleans, without holes.
        date: column of dates.
        group: column that says whose days they are.
        days: length of the window.

    Raises:
        ValueError: as by `add_elapsed`; or `days` is no integer of at least 1.

    Reference:
        fast.ai, lesson 3, where `rolling(7)` counts rows.
    """
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise ValueError(
            f"`days` must be an integer of at least 1. Received: days={days!r}"
        )
    (order, codes, day), span = _sorted_keys(frame, [*columns], date, group)
    # Groups lie further apart than a window is long: one search serves all of them.
    key = codes * (span + days) + day
    ends = {
        "bw": (
            np.searchsorted(key, key - days + 1),
            np.searchsorted(key, key, "right"),
        ),
        "fw": (
            np.searchsorted(key, key),
            np.searchsorted(key, key + days - 1, "right"),
        ),
    }
    added = {}
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]][: len(codes)])
    first = np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
    for column in columns:
        values = _numbers(frame, column)[order]
        total = _total_by_group(values, starts)
        for name, (start, end) in ends.items():
            # Before a group's first row stands 0, not the sum of the group before.
            before = np.where(start == first, 0, total[start - 1])
            sums = np.empty(len(order), values.dtype)
            sums[order] = total[end - 1] - before
            added[f"{column}_{name}"] = _small(sums)
    check_new(frame, added)
    return frame.assign(**added)


def _total_by_group(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Running sums that begin anew at `starts`."""
    total = np.empty_like(values)
    for start, end in pairwise([*starts.tolist(), len(values)]):
        np.cumsum(values[start:end], out=total[start:end])
    return total


def _small(sums: np.ndarray) -> np.ndarray:
    """float32, or int32 where that holds all whole numbers."""
    if sums.dtype.kind == "f":
        return sums.astype("float32")
    limits = np.iinfo("int32")
    fits = not len(sums) or (sums.min() >= limits.min and sums.max() <= limits.max)
    return sums.astype("int32") if fits else sums


def _sorted_keys(
    frame: pd.DataFrame, columns: list[str], date: str, group: str
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], int]:
    """Order by group and day, both in that order, and how many days there are."""
    check_columns("columns", frame, columns)
    check_columns("date", frame, [date])
    check_columns("group", frame, [group])
    if not pd.api.types.is_datetime64_any_dtype(frame[date].dtype):
        raise ValueError(
            f"`date` must be a column of dates. Received: date={date!r}, of type "
            f"{frame[date].dtype}. `pandas.to_datetime` makes them."
        )
    for name, column in (("date", date), ("group", group)):
        if holes := int(frame[column].isna().sum()):
            first = frame.index[frame[column].isna()][0]
            raise ValueError(
                f"`{name}` must have no holes. Received: {name}={column!r}, missing in "
                f"{holes} rows, the first {first!r}"
            )
    codes = pd.factorize(frame[group], sort=True)[0].astype("int64")
    local = frame[date].dt.tz_localize(None)
    day = local.to_numpy().astype("datetime64[D]").astype("int64")
    if len(day):
        day = day - day.min()
    span = int(day.max()) + 1 if len(day) else 1
    order = np.argsort(codes * span + day, kind="stable")
    return (order, codes[order], day[order]), span


def _happened(frame: pd.DataFrame, event: str) -> np.ndarray:
    return np.nan_to_num(_values(frame, event)) != 0


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    values = _values(frame, column)
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ValueError(
            f"`columns` must have no holes to be summed. Received: {column!r}, missing "
            f"in {int(np.isnan(values).sum())} rows. `fill_missing` fills them."
        )
    return values


def _values(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as int64 or float64."""
    series = frame[column]
    is_flag = pd.api.types.is_bool_dtype(series.dtype)
    if not (is_flag or pd.api.types.is_numeric_dtype(series.dtype)):
        raise ValueError(
            f"`{column}` must be a column of numbers or booleans. Received: type "
            f"{series.dtype}. Compare it with a value first, as in frame[{column!r}] "
            '!= "0".'
        )
    whole = is_flag or pd.api.types.is_integer_dtype(series.dtype)
    if whole and not series.isna().any():
        return series.to_numpy("int64")
    return series.to_numpy("float64", na_value=np.nan)
