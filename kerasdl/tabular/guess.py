"""Columns that nobody named: what they are, by their types."""

from collections.abc import Iterable

import pandas as pd

from .columns import Columns
from .values import values_of

MOST_CODES = 20  # different whole numbers that are guessed to be categories


def guess_columns(
    frame: pd.DataFrame, others: Iterable[str]
) -> tuple[list[str], list[str], list[str]]:
    """Categorical and continuous columns of a table by their types, and what is left.

    Text and pandas's categories are categorical, and so are whole numbers of at most
    20 different values; other numbers and booleans are continuous. Left out are dates,
    of which `features.add_datepart` makes columns, columns of one value, of lists and
    the like, and text that is another in each row.

    Args:
        frame: the table.
        others: columns that are neither, such as the target.

    Reference:
        fastai 2.8's `cont_cat_split`, with its 20
    """
    categorical, continuous, left = [], [], []
    for name in frame.columns.difference([*others], sort=False):
        column = values_of(frame[name])
        kinds = pd.api.types
        is_object = column.dtype == object
        if is_object and not column.map(kinds.is_hashable).all():
            left.append(name)
        elif column.nunique(dropna=False) < 2 or kinds.is_datetime64_any_dtype(column):
            left.append(name)
        elif kinds.is_bool_dtype(column.dtype):
            continuous.append(name)
        elif kinds.is_numeric_dtype(column.dtype):
            is_whole = kinds.is_integer_dtype(column.dtype)
            few = is_whole and column.nunique() <= MOST_CODES
            few |= isinstance(frame[name].dtype, pd.CategoricalDtype)
            (categorical if few else continuous).append(name)
        elif kinds.is_timedelta64_dtype(column.dtype):
            left.append(name)
        elif column.nunique() == len(frame):
            left.append(name)
        else:
            categorical.append(name)
    return categorical, continuous, left


def usable_columns(
    frame: pd.DataFrame, others: Iterable[str], train: pd.DataFrame, min_count: int
) -> tuple[list[str], list[str], list[str]]:
    """What `guess_columns` finds, of which a network can take each.

    Args:
        frame: the table.
        others: columns that are neither.
        train: its rows for training.
        min_count: of them that a known category has at least.

    Returns:
        Categorical and continuous columns, and lines that say what was left out.
    """
    *guessed, left = guess_columns(frame, others)
    lines = [f"left out: {', '.join(map(str, left))}"] if left else []
    kept: tuple[list[str], list[str]] = [], []
    for place, names in enumerate(guessed):
        for name in names:
            pair = ([name], []) if place == 0 else ([], [name])
            try:
                Columns.of(train, *pair, min_count)
            except ValueError as error:
                lines.append(f"left out: {name}. {error}")
            else:
                kept[place].append(name)
    return *kept, lines
