"""Figures of one look, drawn outside pyplot's global state."""

from pathlib import Path
from typing import TYPE_CHECKING

from kerasdl._atomic import write_by

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#333333"
GREY, RED, BLUE = "#8a8f98", "#d1495b", "#2a6f97"


def new_figure(width: float, height: float) -> "Figure":
    """A white figure of `width` x `height` inches, 120 pixels each."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def save_figure(figure: "Figure", path: str | Path) -> None:
    """Write `figure` as a PNG, whole or not at all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    write_by(path, FigureCanvasAgg(figure).print_png)


def plain_axes(axes: "Axes", xlabel: str, ylabel: str) -> None:
    """Name the axes; a pale grid, no frame on top and at the right."""
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def shorten(name: str, length: int) -> str:
    """`name`, or its beginning and an ellipsis if it is longer than `length`."""
    return name if len(name) <= length else f"{name[: length - 1]}…"
