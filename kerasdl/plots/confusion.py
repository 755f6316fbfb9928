"""Confusion matrices as pictures."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasdl._figure import INK, new_figure, save_figure, shorten
from kerasdl._fonts import legible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LETTER = 0.6 / 72  # inches a letter is wide, for each point of its size
_TICKS = 160  # names beside a side of 16 inches


def save_confusion(
    matrix: np.ndarray, class_names: Sequence[str], path: str | Path | None = None
) -> "Figure":
    """Draw a confusion matrix: counts, and shares of each true class.

    Up to 15 classes have both in figures, up to 40 the counts, and more only colours;
    of more than 160 every few are named.

    Args:
        matrix: counts `(classes, classes)`, rows true, columns predicted.
        class_names: in the order of rows and columns.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.

    Raises:
        ValueError: `matrix` is not square or not of `class_names`.
    """
    from matplotlib.colors import PowerNorm

    matrix = np.asarray(matrix)
    count = len(class_names)
    if matrix.shape != (count, count):
        raise ValueError(
            "`matrix` must have a row and a column for each class. Received: "
            f"matrix of {matrix.shape} for {count} class names"
        )
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    cell = 1.3 if count <= 4 else min(0.55, 16 / count)  # inches
    size = 12 if count <= 4 else min(9, 50 * cell)
    with_share = count <= 15
    # Of more than one can read every few.
    places = range(0, count, math.ceil(count / _TICKS))
    drawn = legible(class_names)
    names = [shorten(drawn[place], 24) for place in places]
    named = min(9, size * places.step) if count > 4 else size
    # Room for the longest, so that the cells stay as large as their figures.
    room = 0.6 + _LETTER * named * max(map(len, names))
    beside, below = max(1.6, room), max(1.2, room if count > 4 else 0)
    bar = 0 if with_share else 1.8
    figure = new_figure(cell * count + beside + bar, cell * count + below)
    axes = figure.subplots()
    # Where no figure tells it, a share of a few percent must show as a colour.
    norm = PowerNorm(1 if count <= 40 else 0.4, 0, 1)
    image = axes.imshow(shares, cmap="Blues", norm=norm)
    if not with_share:
        figure.colorbar(image, ax=axes, shrink=0.6, label="share of the true class")
    slant = 90 if count > 4 else 0
    axes.set_xticks(places, names, fontsize=named, parse_math=False, rotation=slant)
    axes.set_yticks(places, names, fontsize=named, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    # Thousands of texts would be too small to read and slow to draw.
    cells = np.argwhere(matrix) if count <= 40 else ()
    for row, column in cells:
        text = f"{matrix[row, column]}"
        if with_share:
            text += f"\n{shares[row, column]:.1%}"
        colour = "white" if shares[row, column] > 0.5 else INK
        axes.text(
            column, row, text, ha="center", va="center", color=colour, fontsize=size
        )
    return save_figure(figure, path)
