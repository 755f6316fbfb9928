"""Several series in one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from kerasdl._figure import new_figure, plain_axes, save_figure


def save_lines(
    series: Mapping[str, Sequence[float]],
    path: str | Path,
    xlabel: str,
    ylabel: str,
    start: int = 0,
) -> None:
    """Draw one line for each of `series`, over their places.

    Args:
        series: numbers by name.
        path: the PNG to write.
        xlabel: what the places are.
        ylabel: what the numbers are.
        start: of the first place.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not series or not all(map(len, series.values())):
        raise ValueError(
            f"`series` must hold numbers. Received: {[*series]} with "
            f"{[len(numbers) for numbers in series.values()]} numbers"
        )
    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    plain_axes(axes, xlabel, ylabel)
    for name, numbers in series.items():
        places = range(start, start + len(numbers))
        axes.plot(places, numbers, linewidth=1.8, label=name.replace("_", " "))
    axes.legend(frameon=False)
    save_figure(figure, path)
