"""Sections that every report has: how the training went, and what was set."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import pandas as pd

from kerasdl import plots
from kerasdl._numbers import number

from .html import cell, table
from .pictures import chart

_LONG = 1000  # letters of a value, such as numbers in base64, that are not shown
_MANY = 60  # values by name, such as one for each of many groups, that are not listed


def training(history: pd.DataFrame) -> str:
    """Curves of the epochs, and a table of them.

    Args:
        history: a row for each epoch, as `plots.save_curves` takes it.
    """
    parts = []
    drawn = {name for name in history if f"val_{name}" in history}
    drawn |= {"loss", "accuracy"} & set(history)
    if drawn:
        last = history.iloc[-1]
        drawn |= {f"val_{name}" for name in drawn}
        numbers = [f"{name} {number(last[name])}" for name in history if name in drawn]
        parts.append(
            chart(
                plots.save_curves,
                history,
                alt=f"Curves of {len(history)} epochs; at the end {', '.join(numbers)}",
                caption="Each epoch.",
            )
        )
    rows = history.set_axis(range(1, len(history) + 1)).rename_axis("row")
    parts.append(table(rows, "Epochs in the order they ran"))
    return "".join(parts)


def settings(values: Mapping[str, Any]) -> str:
    """A table of names and values; lists of mappings are tables of their own.

    Names of mappings in `values` are joined by dots; of more than 60 values in one,
    three stand for all.
    """
    rows, tables = {}, []
    for name, value in _flat(values):
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            frame = pd.DataFrame(value)
            tables.append(table(frame.set_index(frame.columns[0]), name))
        else:
            rows[name] = _as_given(value)
    frame = pd.DataFrame({"value": rows}, dtype=object).rename_axis("name")
    return "".join([*tables, table(frame, "All settings")])


def closing(
    history: pd.DataFrame | None,
    values: Mapping[str, Any] | None,
    training: Callable[[pd.DataFrame], str] = training,
) -> list[tuple[str, str]]:
    """The last sections of a report, as far as there is something in them.

    Args:
        history: a row for each epoch.
        values: names and values, such as a run's manifest.
        training: what shows the history.
    """
    sections = []
    if history is not None and len(history):
        sections.append(("Training", training(history)))
    if values:
        sections.append(("Settings", settings(values)))
    return sections


def _some(values: Mapping[str, Any]) -> str:
    shown = islice(values.items(), 3)
    return ", ".join(f"{key} {_as_given(value)}" for key, value in shown)


def _as_given(value: Any) -> str:
    """A setting with all its digits: rounded ones would repeat another run."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_as_given, value)) or "–"
    return str(value) if isinstance(value, float) and value == value else cell(value)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names joined by dots, and values that are no mappings."""
    for key, value in values.items():
        if isinstance(value, Mapping) and len(value) > _MANY:
            yield f"{prefix}{key}", f"{len(value):,} values, such as {_some(value)}"
        elif isinstance(value, str) and len(value) > _LONG:
            yield f"{prefix}{key}", f"{value[:_MANY]}… ({len(value):,} letters)"
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
