"""Pictures side by side, with titles or pixel by pixel."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from kerasdl._atomic import write_by
from kerasdl._checks import check_positive_int
from kerasdl._figure import DPI, INK, new_figure, picture_format, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_gallery(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    path: str | Path | None = None,
    columns: int = 4,
    headline: str = "",
) -> "Figure":
    """Draw pictures with a title each, such as "dogs/12.jpg: cats 0.97 (true: dogs)".

    Args:
        images: RGB in [0, 255], `(height, width, 3)` each, of any sizes; none give a
            picture that holds the headline alone.
        titles: one for each, of one line or several; long lines are broken.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        columns: pictures in a row.
        headline: a line above all.

    Raises:
        ValueError: `columns` is below 1, or images and titles differ in number.
    """
    check_positive_int("columns", columns)
    if len(images) != len(titles):
        raise ValueError(
            "`titles` must be one for each image. Received: "
            f"{len(titles)} titles for {len(images)} images"
        )
    if not len(images):
        figure = new_figure(6, 1.2)
        figure.text(0.5, 0.5, headline or "no pictures", ha="center", va="center")
        return save_figure(figure, path)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(max(2.6 * columns, 5), 3.1 * rows + (0.4 if headline else 0))
    if headline:
        figure.suptitle(headline, color=INK, parse_math=False)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.axis("off")
        axes.set_anchor("N")
    for axes, image, title in zip(panels, images, titles, strict=False):
        axes.imshow(_pixels(image))
        lines = [fill(line, 30, break_on_hyphens=False) for line in title.split("\n")]
        axes.set_title("\n".join(lines), fontsize=8.5, color=INK, parse_math=False)
    return save_figure(figure, path)


def save_grid(
    images: Sequence[np.ndarray], path: str | Path | None = None, columns: int = 4
) -> "Figure":
    """Tile pictures of one size, pixel by pixel, such as one photo under many draws.

    Args:
        images: RGB in [0, 255], `(n, height, width, 3)`.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        columns: pictures in a row.

    Raises:
        ValueError: `columns` is below 1, or `images` are none or of several sizes.
    """
    from matplotlib.image import imsave

    canvas = tile(images, columns)
    height, width, _ = canvas.shape
    figure = new_figure(width / DPI, height / DPI)
    figure.figimage(canvas)
    if path is None:
        return save_figure(figure, None)
    kind = picture_format(path)  # a figure's size is in inches, and may be a pixel off
    write_by(path, lambda file: imsave(file, canvas, format=kind))
    return figure


def tile(images: Sequence[np.ndarray] | np.ndarray, columns: int = 4) -> np.ndarray:
    """Put pictures of one size into one, row by row, with white between.

    Args:
        images: RGB in [0, 255], `(n, height, width, 3)`.
        columns: pictures in a row.

    Returns:
        uint8 `(height, width, 3)`.

    Raises:
        ValueError: `columns` is below 1, or `images` are none or of several sizes.
    """
    check_positive_int("columns", columns)
    shapes = sorted({np.shape(image) for image in images})
    if len(shapes) != 1:
        raise ValueError(f"`images` must be of one size. Received: shapes {shapes}")
    height, width, _ = shapes[0]
    gap = 4
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    canvas = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8
    )
    for number, image in enumerate(images):
        top = number // columns * (height + gap)
        left = number % columns * (width + gap)
        canvas[top : top + height, left : left + width] = _pixels(image)
    return canvas


def _pixels(image: np.ndarray) -> np.ndarray:
    return np.clip(np.round(image), 0, 255).astype("uint8")
