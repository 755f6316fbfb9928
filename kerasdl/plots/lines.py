"""Several series in one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasdl._figure import new_figure, plain_axes, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_lines(
    series: Mapping[str, Sequence[float]],
    path: str | Path | None = None,
    xlabel: str = "",
    ylabel: str = "",
    start: int = 0,
    figsize: tuple[float, float] = (8, 4.5),
) -> "Figure":
    """Draw one line for each of `series`, over their places.

    Args:
        series: numbers by name.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        xlabel: what the places are.
        ylabel: what the numbers are.
        start: of the first place.
        figsize: width and height in inches.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not series or not all(map(len, series.values())):
        raise ValueError(
            f"`series` must hold numbers. Received: {[*series]} with "
            f"{[len(numbers) for numbers in series.values()]} numbers"
        )
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(*figsize)
    axes = figure.subplots()
    plain_axes(axes, xlabel, ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for name, numbers in series.items():
        places = range(start, start + len(numbers))
        # A line through one point, alone or between holes, is not seen.
        known = np.pad(np.isfinite(np.asarray(numbers, "float64")), 1)
        lone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:]).tolist()
        marker = {"marker": "o", "markevery": lone} if lone else {}
        label = name.replace("_", " ")
        axes.plot(places, numbers, linewidth=1.8, label=label, **marker)
    axes.legend(frameon=False)
    return save_figure(figure, path)
