"""Arrays and names in, PNG out."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdl._atomic import replacing
from kerasdl._checks import check_positive_int
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

if TYPE_CHECKING:
    import pandas as pd

SMOOTHING = 0.8  # as in the Keras book's chapter on small datasets
_BAR = "#a9b4c2"


def smooth(points: Iterable[float], factor: float = SMOOTHING) -> np.ndarray:
    """Exponential mean: `factor` of the value before, `1 - factor` of the point."""
    smoothed: list[float] = []
    for point in points:
        before = smoothed[-1] if smoothed else point
        smoothed.append(before * factor + point * (1 - factor))
    return np.array(smoothed)


def save_curves(
    history: "pd.DataFrame | Sequence[Mapping[str, Any]]", path: str | Path
) -> None:
    """Draw accuracy and loss over the epochs: points as measured, lines smoothed.

    Epochs are numbered through all stages; each stage is smoothed by itself and named
    above its part.

    Args:
        history: one row an epoch, in order: `stage`, and of `accuracy`, `loss` and
            their `val_` twins those there are.
        path: the PNG to write.

    Raises:
        ValueError: `history` has no rows, or neither loss nor accuracy.
    """
    import pandas as pd
    from matplotlib.ticker import MaxNLocator

    table = pd.DataFrame(history)
    metrics = [name for name in ("accuracy", "loss") if name in table]
    if table.empty or not metrics:
        raise ValueError(
            "`history` must have rows with loss or accuracy. Received: "
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
                axes.plot(epochs, smooth(values), color=colour, linewidth=2)
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
        axes.legend(title="lines are smoothed", title_fontsize=9, frameon=False)
    save_figure(figure, path)


def save_confusion(
    matrix: np.ndarray, class_names: Sequence[str], path: str | Path
) -> None:
    """Draw a confusion matrix: counts, and shares of each true class.

    Up to 15 classes have both in figures, up to 40 the counts, and more only colours.

    Args:
        matrix: counts `(classes, classes)`, rows true, columns predicted.
        class_names: in the order of rows and columns.
        path: the PNG to write.

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
    figure = new_figure(cell * count + (1.6 if with_share else 3.4), cell * count + 1.2)
    axes = figure.subplots()
    # Where no figure tells it, a share of a few percent must show as a colour.
    norm = PowerNorm(1 if count <= 40 else 0.4, 0, 1)
    image = axes.imshow(shares, cmap="Blues", norm=norm)
    if not with_share:
        figure.colorbar(image, ax=axes, shrink=0.6, label="share of the true class")
    slant = {"rotation": 90} if count > 4 else {}
    names = [shorten(name, 24) for name in class_names]
    axes.set_xticks(range(count), names, fontsize=size, parse_math=False, **slant)
    axes.set_yticks(range(count), names, fontsize=size, parse_math=False)
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
    save_figure(figure, path)


def save_gallery(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    path: str | Path,
    columns: int = 4,
    headline: str = "",
) -> None:
    """Draw pictures with a title each, such as "dogs/12.jpg: cats 0.97 (true: dogs)".

    Args:
        images: RGB in [0, 255], `(height, width, 3)` each, of any sizes; none give a
            picture that holds the headline alone.
        titles: one for each.
        path: the PNG to write.
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
        save_figure(figure, path)
        return
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
        title = fill(title, 30, break_on_hyphens=False)
        axes.set_title(title, fontsize=8.5, color=INK, parse_math=False)
    save_figure(figure, path)


def save_grid(images: Sequence[np.ndarray], path: str | Path, columns: int = 4) -> None:
    """Tile pictures of one size, pixel by pixel, such as one photo under many draws.

    Args:
        images: RGB in [0, 255], `(n, height, width, 3)`.
        path: the PNG to write.
        columns: pictures in a row.

    Raises:
        ValueError: `columns` is below 1, or `images` are none or of several sizes.
    """
    check_positive_int("columns", columns)
    from matplotlib.image import imsave

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
    with replacing(path) as beside:
        imsave(beside, canvas)


def save_bars(
    names: Sequence[str],
    values: Sequence[float],
    path: str | Path,
    label: str,
    title: str = "",
    highlight: Sequence[str] = (),
) -> None:
    """Draw one horizontal bar for each value, the first on top.

    Args:
        names: one for each value.
        values: lengths of the bars.
        path: the PNG to write.
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
    axes.bar_label(bars, [f"{value:,.4g}" for value in values], padding=4, color=INK)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    plain_axes(axes, label, "")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_title(title, color=INK, loc="left", parse_math=False)
    save_figure(figure, path)


def save_lr_find(
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggestions: Mapping[str, float],
    path: str | Path,
    log_rates: bool = True,
) -> None:
    """Draw losses over learning rates: points, a smoothed line, and marks on it.

    An explosion of the loss is cut off: it would flatten what comes before.

    Args:
        rates: learning rates, rising.
        losses: one for each rate.
        smoothed: one for each rate.
        suggestions: rates to mark, by name.
        path: the PNG to write.
        log_rates: a logarithmic axis.

    Raises:
        ValueError: rates, losses and smoothed differ in number, or are none.
    """
    if not len(rates) == len(losses) == len(smoothed) > 0:
        raise ValueError(
            "`losses` and `smoothed` must be one for each of at least one rate. "
            f"Received: {len(losses)}, {len(smoothed)} for {len(rates)} rates"
        )
    smoothed = np.asarray(smoothed, "float64")
    figure = new_figure(8, 4.8)
    axes = figure.subplots()
    plain_axes(axes, "learning rate", "loss of a batch")
    axes.plot(rates, losses, "o", color=GREY, alpha=0.45, markersize=4)
    axes.plot(rates, smoothed, color=BLUE, linewidth=2, label="smoothed")
    if log_rates:
        axes.set_xscale("log")
    for (name, rate), marker in zip(suggestions.items(), cycle("osD^v"), strict=False):
        at = np.interp(rate, rates, smoothed)
        label = f"{name}  {rate:.1e}"
        axes.axvline(rate, color=RED, linewidth=0.8, linestyle=":")
        axes.plot(rate, at, marker, color=RED, markersize=7, label=label)
    settled = smoothed[: smoothed.argmin() + 1]
    lowest = min(smoothed.min(), *losses)
    height = settled.max() - lowest or np.inf
    top = min(smoothed.max(), settled.max() + 0.5 * height)
    margin = 0.05 * (top - lowest) or 1.0
    axes.set_ylim(lowest - margin, top + margin)
    axes.legend(frameon=False)
    save_figure(figure, path)


def save_photo_statistics(
    counts: "pd.DataFrame", sizes: "pd.DataFrame", path: str | Path
) -> None:
    """Draw histograms of width and height, and how many photos each class has.

    Args:
        counts: photos, a row for each split, a column for each class.
        sizes: columns `height` and `width` in pixels, a row for each photo.
        path: the PNG to write.
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
    shades = (BLUE, RED, _BAR, GREY, INK)
    for number, (split, row) in enumerate(counts.iterrows()):
        colour = shades[number % len(shades)]
        bars.barh(range(len(names)), row, left=start, color=colour, label=split)
        start = start + row.to_numpy()
    size = 10 if len(names) <= 24 else 7
    bars.set_yticks(range(len(names)), names, fontsize=size, parse_math=False)
    bars.invert_yaxis()
    plain_axes(bars, "photos", "")
    bars.grid(visible=False, axis="y")
    bars.tick_params(axis="y", length=0)
    bars.margins(y=0.01)
    # Above the bars, which may fill the whole panel.
    bars.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=5, frameon=False)
    save_figure(figure, path)


def _pixels(image: np.ndarray) -> np.ndarray:
    return np.clip(np.round(image), 0, 255).astype("uint8")
