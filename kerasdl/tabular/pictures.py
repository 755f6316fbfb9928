"""Charts of answers, written as PNG."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasdl._figure import BLUE, GREY, INK, new_figure, plain_axes, save_figure
from kerasdl._fonts import legible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MANY = 2000  # points that can be told apart


def save_predicted(
    truth: np.ndarray, answers: np.ndarray, name: str, path: str | Path | None = None
) -> "Figure":
    """Draw each answer over its truth; many are drawn as their density.

    Args:
        truth: numbers.
        answers: as many.
        name: what they are.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    figure = new_figure(6, 5.5)
    axes = figure.subplots()
    plain_axes(axes, f"{name}, true", f"{name}, predicted")
    if len(truth) > _MANY:
        axes.hexbin(truth, answers, gridsize=60, bins="log", cmap="Blues", mincnt=1)
    else:
        axes.plot(truth, answers, "o", color=BLUE, markersize=4, alpha=0.5)
    ends = [min(truth.min(), answers.min()), max(truth.max(), answers.max())]
    axes.plot(ends, ends, color=GREY, linewidth=1)
    return save_figure(figure, path)


def save_over_time(
    times: pd.Series, errors: np.ndarray, name: str, path: str | Path | None = None
) -> "Figure":
    """Draw the mean error of each time, and the band of its middle half.

    Args:
        times: one for each error.
        errors: answer minus truth.
        name: of the column of times.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    groups = pd.Series(errors).groupby(times.to_numpy())
    figure = new_figure(8, 4)
    axes = figure.subplots()
    plain_axes(axes, name, "predicted minus true")
    low, high = groups.quantile(0.25), groups.quantile(0.75)
    axes.fill_between(low.index, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(groups.mean(), color=BLUE, linewidth=1.6)
    axes.axhline(0, color=GREY, linewidth=1)
    figure.autofmt_xdate()
    return save_figure(figure, path)


def save_dependence(
    values: Sequence[float] | Sequence[str],
    answers: Sequence[float],
    name: str,
    path: str | Path | None = None,
) -> "Figure":
    """Draw the mean answer where one column is set to each value in turn.

    Args:
        values: of the column.
        answers: the mean answer of each.
        name: of the column.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    figure = new_figure(4.2, 3.2)
    axes = figure.subplots()
    plain_axes(axes, name, "mean answer")
    if isinstance(values[0], str):
        axes.plot(answers, "o", color=BLUE)
        names = legible([str(value) for value in values])
        axes.set_xticks(range(len(names)), names, rotation=60, parse_math=False)
    else:
        axes.plot(values, answers, color=BLUE, linewidth=1.6)
    return save_figure(figure, path)


def save_embedding(
    names: Sequence[str],
    weights: np.ndarray,
    title: str,
    path: str | Path | None = None,
) -> "Figure":
    """Draw the first two principal components of an embedding, one name a point.

    Args:
        names: of the categories.
        weights: a row for each.
        title: above.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    centred = weights - weights.mean(axis=0)
    sides, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    places = np.zeros((len(names), 2))
    shown = min(2, len(sizes))
    places[:, :shown] = sides[:, :shown] * sizes[:shown]
    figure = new_figure(5, 4.5)
    axes = figure.subplots()
    plain_axes(axes, "first component", "second")
    axes.plot(*places.T, "o", color=BLUE, markersize=3)
    if len(names) <= 60:
        for name, (x, y) in zip(legible(names), places, strict=True):
            axes.annotate(name, (x, y), fontsize=7, color=INK, parse_math=False)
    axes.set_title(title, color=INK, loc="left", parse_math=False)
    return save_figure(figure, path)
