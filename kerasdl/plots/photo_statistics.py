"""How many photos each class has, and how large they are."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasdl._figure import (
    BLUE,
    GREY,
    INK,
    RED,
    new_figure,
    plain_axes,
    save_figure,
    shorten,
)
from kerasdl._fonts import legible

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SHADES = (BLUE, RED, "#a9b4c2", GREY, INK)  # of the splits, in turns


def save_photo_statistics(
    counts: "pd.DataFrame", sizes: "pd.DataFrame", path: str | Path | None = None
) -> "Figure":
    """Draw histograms of width and height, and how many photos each class has.

    Args:
        counts: photos, a row for each split, a column for each class.
        sizes: columns `height` and `width` in pixels, a row for each photo.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
    """
    names = [shorten(str(name), 24) for name in counts.columns]
    if len(names) <= 24:
        figure = new_figure(12, 4)
        panels = figure.subplot_mosaic([["width", "height", "bars"]])
    else:  # a tall panel of bars, the histograms in the corner beside it
        height = max(9, 1.2 + 0.16 * len(names))
        figure = new_figure(12, height)
        panels = figure.subplot_mosaic(
            [["width", "bars"], ["height", "bars"], [".", "bars"]],
            height_ratios=(4, 4, height - 8),
        )
    for side in ("width", "height"):
        panels[side].hist(sizes[side], bins=40, color=BLUE)
        plain_axes(panels[side], f"{side} (pixels)", "photos")
    bars = panels["bars"]
    start = np.zeros(len(names))
    for number, (split, row) in enumerate(counts.iterrows()):
        colour = _SHADES[number % len(_SHADES)]
        bars.barh(range(len(names)), row, left=start, color=colour, label=split)
        start = start + row.to_numpy()
    size = 10 if len(names) <= 24 else 7
    shown = legible(names)
    bars.set_yticks(range(len(names)), shown, fontsize=size, parse_math=False)
    bars.invert_yaxis()
    plain_axes(bars, "photos", "")
    bars.grid(visible=False, axis="y")
    bars.tick_params(axis="y", length=0)
    bars.margins(y=0.01)
    # Above the bars, which may fill the whole panel.
    bars.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=5, frameon=False)
    return save_figure(figure, path)
