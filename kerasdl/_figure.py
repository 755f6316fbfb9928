"""Figures of one look, drawn outside pyplot's global state."""

from pathlib import Path
from typing import TYPE_CHECKING

from kerasdl._atomic import write_by

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#333333"
GREY, RED, BLUE = "#8a8f98", "#d1495b", "#2a6f97"
FORMATS = (".png", ".svg", ".pdf")
DPI = 120


def new_figure(width: float, height: float) -> "Figure":
    """A white figure of `width` x `height` inches, 120 pixels each."""
    from kerasdl._shown_figure import ShownFigure

    return ShownFigure(figsize=(width, height), dpi=DPI, layout="constrained")


def save_figure(figure: "Figure", path: str | Path | None) -> "Figure":
    """Write `figure` to `path`, whole or not at all; None shows it in a notebook.

    Returns:
        `figure`.

    Raises:
        ValueError: `path` ends in none of .png, .svg and .pdf, or is no place for a
            file.
    """
    if path is None:
        figure.show()
    else:
        kind = picture_format(path)
        write_by(path, lambda file: figure.savefig(file, format=kind))
    return figure


def picture_format(path: str | Path) -> str:
    """The format that the end of `path` names.

    Raises:
        ValueError: it is none of .png, .svg and .pdf.
    """
    kind = Path(path).suffix.lower()
    if kind not in FORMATS:
        raise ValueError(
            f"`path` must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}. "
            f"Received: path={str(path)!r}"
        )
    return kind[1:]


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
