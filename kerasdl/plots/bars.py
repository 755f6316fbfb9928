"""Named values as horizontal bars."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasdl._figure import BLUE, INK, new_figure, plain_axes, save_figure
from kerasdl._fonts import legible
from kerasdl._numbers import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BAR = "#a9b4c2"


def save_bars(
    names: Sequence[str],
    values: Sequence[float],
    path: str | Path | None = None,
    label: str = "",
    title: str = "",
    highlight: Sequence[str] = (),
) -> "Figure":
    """Draw one horizontal bar for each value, the first on top.

    Args:
        names: one for each value.
        values: lengths of the bars.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        label: what the values are, with their unit.
        title: a line above.
        highlight: names whose bars stand out.

    Raises:
        ValueError: names and values differ in number.
    """
    if len(names) != len(values):
        raise ValueError(
            "`names` must be one for each value. Received: "
            f"{len(names)} names for {len(values)} values"
        )
    figure = new_figure(8, 0.5 * len(names) + 1.4)
    axes = figure.subplots()
    colours = [BLUE if name in highlight else _BAR for name in names]
    bars = axes.barh(range(len(names)), values, color=colours, height=0.7)
    axes.bar_label(bars, [number(value) for value in values], padding=4, color=INK)
    axes.set_yticks(range(len(names)), legible(names), parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    plain_axes(axes, label, "")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_title(title, color=INK, loc="left", parse_math=False)
    return save_figure(figure, path)
