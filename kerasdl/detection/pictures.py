"""Charts of how good a detector is."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasdl._figure import BLUE, RED, new_figure, plain_axes, save_figure
from kerasdl._fonts import legible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MANY = 10  # classes that a legend names


def save_precision_recall(
    curves: Mapping[str, pd.DataFrame], path: str | Path | None = None
) -> "Figure":
    """Draw precision over recall of each class.

    Args:
        curves: by class, as `measures.curves` gives them.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    figure = new_figure(6, 5)
    axes = figure.subplots()
    plain_axes(axes, "recall", "precision")
    lines = [
        axes.step(curve["recall"], curve["precision"], where="pre")[0]
        for curve in curves.values()
    ]
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.03)
    if 0 < len(curves) <= _MANY:
        # Passed on, not found by label: matplotlib hides labels that begin with "_".
        legend = axes.legend(lines, legible(list(curves)), frameon=False)
        for text in legend.get_texts():
            text.set_parse_math(False)
    return save_figure(figure, path)


def save_by_threshold(
    curves: Mapping[str, pd.DataFrame], threshold: float, path: str | Path | None = None
) -> "Figure":
    """Draw precision, recall and F1, means of the classes that are there, over scores.

    Args:
        curves: by class, as `measures.curves` gives them.
        threshold: that is marked.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    figure = new_figure(6, 5)
    axes = figure.subplots()
    plain_axes(axes, "score from which on an answer counts", "")
    scores = np.linspace(0, 1, 201)
    of_objects = [curve for curve in curves.values() if curve.attrs["truth"]]
    for name in ("precision", "recall", "f1"):
        means = [_at(curve, name, scores) for curve in of_objects]
        if means:
            axes.plot(scores, np.mean(means, axis=0), label=name)
    axes.axvline(threshold, color=RED, linewidth=0.8, linestyle=":")
    axes.set_ylim(0, 1.03)
    axes.legend(frameon=False)
    return save_figure(figure, path)


def save_mistakes(table: pd.DataFrame, path: str | Path | None = None) -> "Figure":
    """Draw what each kind of mistake costs.

    Args:
        table: as `mistakes.mistakes` gives it.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    figure = new_figure(6, 0.5 * len(table) + 1.2)
    axes = figure.subplots()
    plain_axes(axes, "AP at IoU .5 that is lost", "")
    axes.barh(table.index[::-1], table["cost"][::-1].clip(lower=0), color=BLUE)
    return save_figure(figure, path)


def save_measures(history: pd.DataFrame, path: str | Path | None = None) -> "Figure":
    """Draw the mAP and AP50 of the epochs after which they were measured.

    Args:
        history: a row for each epoch, with `val_map` and `val_ap50`.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    figure = new_figure(6, 4)
    axes = figure.subplots()
    plain_axes(axes, "epoch", "average precision")
    for name, label in (("val_ap50", "AP50"), ("val_map", "mAP")):
        measured = history[name].reset_index(drop=True).dropna()
        axes.plot(measured.index + 1, measured, "o-", label=label)
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)
    return save_figure(figure, path)


def _at(curve: pd.DataFrame, name: str, scores: np.ndarray) -> np.ndarray:
    """Values of a curve where answers from each of `scores` on count."""
    falling = -curve["score"].to_numpy()
    counts = np.searchsorted(falling, -scores, side="right")
    values = np.concatenate([[float(name == "precision")], curve[name]])
    return values[counts]
