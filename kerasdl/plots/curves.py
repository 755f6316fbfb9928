"""Metrics and losses over the epochs, and how their points are smoothed."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdl._figure import GREY, INK, RED, new_figure, plain_axes, save_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SMOOTHING = 0.8  # as in the Keras book's chapter on small datasets
_FIRST = ("accuracy", "fbeta")
_PANELS = 3  # in a row
_MANY = 20  # epochs that are smoothed: in the mean of a few, the first ones last


def smooth(points: Iterable[float], factor: float = SMOOTHING) -> np.ndarray:
    """Exponential mean: a point weighs `factor` of the next one; the weights sum to 1.

    So the first points weigh no more than later ones. Where a point is NaN, the mean is
    that before.

    Raises:
        ValueError: `factor` is not at least 0 and below 1.

    Example:
        ```
        kd.plots.smooth([3.0, 2.0, 1.5, 1.4], factor=0.8)
        ```
    """
    import pandas as pd

    if not 0 <= factor < 1:
        raise ValueError(
            f"`factor` must be at least 0 and below 1. Received: factor={factor!r}"
        )
    numbers = pd.Series(points, dtype="float64")
    return numbers.ewm(alpha=1 - factor).mean().to_numpy()


def save_curves(
    history: "pd.DataFrame | Sequence[Mapping[str, Any]]",
    path: str | Path | None = None,
    smoothing: float = SMOOTHING,
) -> "Figure":
    """Draw metrics and loss over the epochs: points as measured, lines smoothed.

    Epochs are numbered through all stages, each of which is named above its part. A
    stage of 20 epochs or more is smoothed, by itself; points of fewer are joined.

    Args:
        history: one row an epoch, in order: every column that has a `val_` twin is
            drawn with it; `accuracy`, `fbeta` and `loss` are also without one. `stage`
            if there are several.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        smoothing: `factor` of `smooth`; 0 joins the points of any number.

    Raises:
        ValueError: `history` has no rows, or none of these.

    Example:
        ```
        history = learn.fit(1e-3)
        kd.plots.save_curves(history, "curves.png")
        ```
    """
    import pandas as pd
    from matplotlib.ticker import MaxNLocator

    table = pd.DataFrame(history).reset_index(drop=True)
    if "stage" not in table:
        table["stage"] = ""
    metrics = [n for n in table if f"val_{n}" in table or n in (*_FIRST, "loss")]
    metrics.sort(key=lambda name: (name == "loss", name not in _FIRST))
    if table.empty or not metrics:
        raise ValueError(
            "`history` must have rows with loss, accuracy or fbeta, or with a column "
            "that has a val_ twin. Received: "
            f"{len(table)} rows of {list(table.columns)}"
        )
    # A stage may come twice; its rows are one part as long as nothing lies between.
    parts = (table["stage"] != table["stage"].shift()).cumsum()
    width, rows = min(len(metrics), _PANELS), -(-len(metrics) // _PANELS)
    figure = new_figure(5.5 * width, 4.4 * rows)
    panels = figure.subplots(rows, width, squeeze=False).ravel()
    for axes in panels[len(metrics) :]:
        axes.set_visible(False)
    for axes, metric in zip(panels, metrics, strict=False):
        plain_axes(axes, "epoch", metric)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        for column, name, colour in (
            (metric, "training", GREY),
            (f"val_{metric}", "validation", RED),
        ):
            if column not in table:
                continue
            axes.plot([], [], "o-", color=colour, label=name)
            for _, part in table.groupby(parts):
                measured = part[column].astype("float64").dropna()
                epochs, values = measured.index + 1, measured.to_numpy()
                axes.plot(epochs, values, "o", color=colour, alpha=0.45, markersize=4)
                factor = smoothing if len(values) >= _MANY else 0
                axes.plot(epochs, smooth(values, factor), color=colour, linewidth=2)
        for _, part in table.groupby(parts):
            start = part.index[0] + 0.5
            if part.index[0] > 0:
                axes.axvline(start, color=INK, linewidth=0.8, linestyle=":")
            axes.text(
                start,
                1.02,
                part["stage"].iloc[0],
                transform=axes.get_xaxis_transform(),
                rotation=50,
                rotation_mode="anchor",
                fontsize=9,
                color=INK,
                parse_math=False,
            )
        axes.set_xlim(0.5, len(table) + 0.5)
        many = smoothing and table.groupby(parts).size().max() >= _MANY
        title = "lines are smoothed" if many else None
        axes.legend(title=title, title_fontsize=9, frameon=False)
    return save_figure(figure, path)
