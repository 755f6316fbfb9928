"""Where a network looked while it translated, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasdl._figure import new_figure, save_figure, shorten
from kerasdl._fonts import legible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL, _LONGEST = 0.32, 16  # inches: of a piece, and of all
_LOW_LINE = "\u2581"  # with which sentencepiece begins words


def save_attention(
    source: Sequence[str],
    translation: Sequence[str],
    weights: np.ndarray,
    path: str | Path | None = None,
) -> "Figure":
    """Draw weights: a row for each piece of a translation, a column for the source's.

    A piece that no installed font can draw is named by its number, as `as_drawn` has
    it.

    Args:
        source: pieces, as `Translator.attention` gives them.
        translation: the same.
        weights: `(translation, source)`, each row with the sum 1.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.

    Raises:
        ValueError: `weights` has another shape.
    """
    weights = np.asarray(weights)
    if weights.shape != (len(translation), len(source)):
        raise ValueError(
            "`weights` must have a row for each piece of the translation and a column "
            f"for each of the source. Received: weights of {weights.shape} for "
            f"{len(translation)} and {len(source)} pieces"
        )
    cell = min(_CELL, _LONGEST / max(weights.shape))
    width, height = (cell * len(side) + 1.8 for side in (source, translation))
    figure = new_figure(max(width, 3), max(height, 2.4))
    axes = figure.subplots()
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=max(weights.max(), 0.5))
    for names, set_ticks, turn in (
        (source, axes.set_xticks, 90),
        (translation, axes.set_yticks, 0),
    ):
        shown = [shorten(name, 16) for name in as_drawn(names)]
        size = 25 * cell  # points
        places = range(len(names))
        set_ticks(places, shown, fontsize=size, parse_math=False, rotation=turn)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return save_figure(figure, path)


def as_drawn(pieces: Sequence[str]) -> list[str]:
    """Pieces in letters that the installed fonts have; others as #1, #2 ..."""
    # An own sign for the begin of a word is in few fonts.
    return legible([piece.replace(_LOW_LINE, "_") for piece in pieces])
