"""Dates as they are written out, and as ISO 8601 has them, drawn by a grammar."""

import datetime

import numpy as np
import pandas as pd

from kerasdl._checks import check_positive_int

_FIRST, _DAYS = datetime.date(1900, 1, 1), 73_414  # to the end of 2100
_UNITS = "first second third fourth fifth sixth seventh eighth ninth".split()
_TEENS = (
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth "
    "eighteenth nineteenth"
).split()
ORDINALS = (
    *_UNITS,
    *_TEENS,
    "twentieth",
    *(f"twenty-{unit}" for unit in _UNITS),
    "thirtieth",
    "thirty-first",
)
MONTHS = (
    "January February March April May June July August September October November "
    "December"
).split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
# The forms, drawn alike.
FORMS = (
    "{day} {month} {year}",
    "{month} {day}, {year}",
    "{nth} {month} {year}",
    "{month} {nth}, {year}",
    "the {word} of {month} {year}",
    "{weekday}, {day} {month} {year}",
    "{weekday} the {nth} of {month}, {year}",
    "{short} {day} {year}",
    "{day} {short} {year}",
)


def draw_dates(count: int = 6000, *, seed: int) -> pd.DataFrame:
    """Draw dates from 1900 to 2100: `source` in one of nine forms, `target` in ISO.

    No source is there twice. Of the pairs 1 in 20 is for validation and 1 in 20 is a
    test, by date: whichever form it has, a date that is held out is new.

    Args:
        count: number of dates.
        seed: of what is drawn.

    Returns:
        Columns `split`, `source` and `target`.

    Raises:
        ValueError: `count` is below 40, or there are not as many days.
    """
    check_positive_int("count", count)
    if not 40 <= count <= _DAYS:
        raise ValueError(
            f"`count` must be from 40 to {_DAYS}. Received: count={count!r}"
        )
    rng = np.random.default_rng(seed)
    held = max(count // 20, 1)
    splits = ["valid"] * held + ["test"] * held + ["train"] * (count - 2 * held)
    rows = []
    for split, offset in zip(
        splits, rng.choice(_DAYS, count, replace=False).tolist(), strict=True
    ):
        date = _FIRST + datetime.timedelta(days=offset)
        form = FORMS[rng.integers(len(FORMS))]
        rows.append((split, written_out(date, form), date.isoformat()))
    return pd.DataFrame(rows, columns=["split", "source", "target"], dtype=object)


def written_out(date: datetime.date, form: str) -> str:
    """A date in one of `FORMS`."""
    month = MONTHS[date.month - 1]
    return form.format(
        day=date.day,
        nth=f"{date.day}{_ending(date.day)}",
        word=ORDINALS[date.day - 1],
        month=month,
        short=month[:3],
        year=date.year,
        weekday=WEEKDAYS[date.weekday()],
    )


def _ending(day: int) -> str:
    if day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
