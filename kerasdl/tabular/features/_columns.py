"""Checks of a frame's columns."""

from collections.abc import Iterable

import pandas as pd

from kerasdl._checks import first_few


def check_columns(name: str, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise ValueError unless `frame` has `columns`, each once.

    Args:
        name: of the argument that they come from.
        frame: the table.
        columns: their names.
    """
    if missing := _not_in(frame, columns):
        raise ValueError(
            f"`{name}` must be columns of the table. Received: {first_few(missing)}, "
            f"of a table with {first_few(frame.columns, 30)}"
        )
    _check_once(frame)


def check_complete(name: str, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise ValueError unless `frame`, the argument `name`, has `columns`, each once.

    Args:
        name: of the argument that the table is.
        frame: the table.
        columns: their names, those of the training.
    """
    if missing := _not_in(frame, columns):
        raise ValueError(
            f"`{name}` must have the columns of the training. Received: "
            f"{first_few(frame.columns, 30)}, without {first_few(missing)}"
        )
    _check_once(frame)


def _not_in(frame: pd.DataFrame, columns: Iterable[str]) -> list[str]:
    return [column for column in columns if column not in frame.columns]


def _check_once(frame: pd.DataFrame) -> None:
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(
            "The table must have each column once. Received: "
            f"{first_few(twice)} more than once"
        )


def check_new(frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise ValueError if `frame` has one of `columns`."""
    taken = [column for column in columns if column in frame.columns]
    if taken:
        raise ValueError(
            "New columns must have names that the table has not. Received: "
            f"{first_few(taken)}. Drop or rename them."
        )
