"""Accuracy and loss over the epochs, and how their points are smoothed."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdl._figure import GREY, INK, RED, new_figure, plain_axes, save_figure

if TYPE_CHECKING:
    import pandas as pd

SMOOTHING = 0.8  # as in the Keras book's chapter on small datasets


def smooth(points: Iterable[float], factor: float = SMOOTHING) -> np.ndarray:
    """Exponential mean: `factor` of the value before, `1 - factor` of the point."""
    smoothed: list[float] = []
    for point in points:
        before = smoothed[-1] if smoothed else point
        smoothed.append(before * factor + point * (1 - factor))
    return np.array(smoothed)


def save_curves(
    history: "pd.DataFrame | Sequence[Mapping[str, Any]]",
    path: str | Path,
    smoothing: float = SMOOTHING,
) -> None:
    """Draw metrics and loss over the epochs: points as measured, lines smoothed.

    Epochs are numbered through all stages; each stage is smoothed by itself and named
    above its part.

    Args:
        history: one row an epoch, in order: of `accuracy`, `fbeta`, `loss` and their
            `val_` twins those there are, and `stage` if there are several.
        path: the PNG to write.
        smoothing: `factor` of `smooth`; 0 joins the points, as few epochs want it.

    Raises:
        ValueError: `history` has no rows, or none of these.
    """
    import pandas as pd
    from matplotlib.ticker import MaxNLocator

    table = pd.DataFrame(history).reset_index(drop=True)
    if "stage" not in table:
        table["stage"] = ""
    metrics = [name for name in ("accuracy", "fbeta", "loss") if name in table]
    if table.empty or not metrics:
        raise ValueError(
            "`history` must have rows with loss, accuracy or fbeta. Received: "
            f"{len(table)} rows of {list(table.columns)}"
        )
    # A stage may come twice; its rows are one part as long as nothing lies between.
    parts = (table["stage"] != table["stage"].shift()).cumsum()
    figure = new_figure(5.5 * len(metrics), 4.4)
    panels = figure.subplots(1, len(metrics), squeeze=False).ravel()
    for axes, metric in zip(panels, metrics, strict=True):
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
                values = part[column].to_numpy("float64")
                epochs = part.index.to_numpy() + 1
                axes.plot(epochs, values, "o", color=colour, alpha=0.45, markersize=4)
                axes.plot(epochs, smooth(values, smoothing), color=colour, linewidth=2)
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
        title = "lines are smoothed" if smoothing else None
        axes.legend(title=title, title_fontsize=9, frameon=False)
    save_figure(figure, path)
