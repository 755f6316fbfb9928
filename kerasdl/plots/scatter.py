"""Named points, whose labels keep clear of one another."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdl._checks import check_one_of
from kerasdl._figure import (
    BLUE,
    GREY,
    INK,
    new_figure,
    plain_axes,
    save_figure,
    shorten,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RADIUS = 5  # of a point, in pixels
_NEAREST, _STEP, _FURTHEST = 8, 6, 400  # from its middle to its label, in pixels
_ANGLES = np.deg2rad([0, 180, 90, 270, 45, 315, 135, 225, *range(15, 360, 30)])


def save_scatter(
    names: Sequence[str],
    x: Sequence[float],
    y: Sequence[float],
    path: str | Path | None = None,
    xlabel: str = "",
    ylabel: str = "",
    log: str = "",
) -> "Figure":
    """Draw a point for each name, with the name beside it.

    Args:
        names: one for each point.
        x: places from left to right.
        y: heights.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        xlabel: what `x` is, with its unit.
        ylabel: what `y` is, with its unit.
        log: axes that are logarithmic: `""`, `"x"`, `"y"` or `"xy"`.

    Raises:
        ValueError: names, x and y differ in number or are none, or a logarithmic axis
            has a number that is not above 0.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.ticker import LogFormatter

    check_one_of("log", log, ("", "x", "y", "xy"))
    if not len(names) == len(x) == len(y) > 0:
        raise ValueError(
            "`x` and `y` must be one for each of at least one name. Received: "
            f"{len(x)}, {len(y)} for {len(names)} names"
        )
    for axis, numbers in (("x", x), ("y", y)):
        if axis in log and min(numbers) <= 0:
            raise ValueError(
                f"`{axis}` must be above 0 on a logarithmic axis. Received: "
                f"{min(numbers)!r}"
            )
    figure = new_figure(9, 6.5)
    axes = figure.subplots()
    plain_axes(axes, xlabel, ylabel)
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if name in log:
            axes.set(**{f"{name}scale": "log"})
            axis.set_major_formatter("{x:,g}")
            axis.set_minor_formatter(LogFormatter())  # for less than a power of ten
    axes.margins(0.08)
    axes.plot(x, y, "o", color=BLUE, markersize=6)
    texts = [
        # Out of the layout: they must not move the axes that they are placed by.
        axes.annotate(
            shorten(name, 40),
            (0, 0),
            xycoords="figure pixels",
            va="bottom",
            fontsize=9,
            color=INK,
            parse_math=False,
            in_layout=False,
        )
        for name in names
    ]
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    points = axes.transData.transform(np.column_stack([x, y]))
    extents = [text.get_window_extent(renderer) for text in texts]
    sizes = np.array([(extent.width, extent.height) for extent in extents])
    corners = place_labels(points, sizes, axes.bbox.extents)
    for text, point, corner, size in zip(texts, points, corners, sizes, strict=True):
        text.xyann = corner
        line = _line(point, np.concatenate([corner, corner + size]))
        if len(line):
            ends = axes.transData.inverted().transform([point, line[-1]])
            axes.plot(*ends.T, color=GREY, linewidth=0.6, zorder=1)
    return save_figure(figure, path)


def place_labels(
    points: np.ndarray, sizes: np.ndarray, area: Sequence[float]
) -> np.ndarray:
    """Find a place near each point for its label, free of other labels and points.

    A line from a label that is not beside its point keeps clear of labels too. Where
    no place is free, the one that covers least.

    Args:
        points: `(count, 2)`, x and y in pixels.
        sizes: `(count, 2)`, width and height of each label in pixels.
        area: left, bottom, right and top of where labels may be.

    Returns:
        `(count, 2)`, the lower left corner of each label.
    """
    points, sizes = np.asarray(points, "float64"), np.asarray(sizes, "float64")
    corners = np.zeros_like(points)
    dots, labels, lines = _boxes(points, _RADIUS), _boxes([], 0), _boxes([], 0)
    # Those in a crowd first, as they have the fewest places.
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    for index in np.argsort(np.exp(-gaps / 60).sum(axis=1), kind="stable")[::-1]:
        least = np.inf
        best: Any = None
        for corner in _places(points[index], sizes[index]):
            box = np.concatenate([corner, corner + sizes[index]])
            best = best or (box, _boxes([], 0))  # of a label too long for the area
            if np.any(box[:2] < area[:2]) or np.any(box[2:] > area[2:]):
                continue
            covered = _shared(box, np.vstack([dots, labels, lines]))
            if covered >= least:
                continue
            line = _boxes(_line(points[index], box), 1)
            covered += _shared(line, labels)
            if covered < least:
                least, best = covered, (box, line)
            if not covered:
                break
        box, line = best
        corners[index] = box[:2]
        labels, lines = np.vstack([labels, box]), np.vstack([lines, line])
    return corners


def _boxes(middles: Sequence[np.ndarray] | np.ndarray, reach: float) -> np.ndarray:
    """Squares around `middles`, `(count, 4)`: left, bottom, right and top."""
    middles = np.reshape(np.asarray(middles, "float64"), (-1, 2))
    return np.hstack([middles - reach, middles + reach])


def _line(point: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Steps from `point` to its label in `box`; none where that is beside it."""
    nearest = np.clip(point, box[:2], box[2:])
    distance = np.linalg.norm(nearest - point)
    if distance <= 2 * _NEAREST:
        return np.empty((0, 2))
    return np.linspace(point, nearest, int(distance / 2))


def _places(point: np.ndarray, size: np.ndarray) -> Iterator[np.ndarray]:
    """Corners of a label around `point`, the nearest first."""
    for distance in range(_NEAREST, _FURTHEST, _STEP):
        for angle in _ANGLES:
            way = np.array([np.cos(angle), np.sin(angle)]).round(6)
            # The side or corner of the label that looks at the point is there.
            yield point + way * distance + size * (np.sign(way) - 1) / 2


def _shared(boxes: np.ndarray, others: np.ndarray) -> float:
    """Area that `boxes` share with `others`, all in all."""
    boxes = np.reshape(boxes, (-1, 1, 4))
    low = np.maximum(boxes[..., :2], others[:, :2])
    high = np.minimum(boxes[..., 2:], others[:, 2:])
    return float(np.clip(high - low, 0, None).prod(axis=-1).sum())
