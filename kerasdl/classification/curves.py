"""Precision-recall, ROC and calibration of a report, as pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn import metrics

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

from ._class_scores import scored_classes
from .reliability import expected_calibration_error, reliability
from .report import ClassificationReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE = (4.3, 4.8)  # inches
_FEW = 8  # classes that have a line each; more are averaged
_COLOURS = (BLUE, RED, "#3a9d5d", "#e09f3e", "#7b5ea7", "#8c6d46", "#d977b0", GREY)
_GRID = np.linspace(0, 1, 201)


class _Line(NamedTuple):
    """Points of a curve, their x rising, and the area under it."""

    x: np.ndarray
    y: np.ndarray
    area: float


def save_precision_recall(
    report: ClassificationReport, path: str | Path | None = None
) -> "Figure":
    """Draw precision over recall, and name the average precision (AP).

    Up to 8 classes have a line each, of the class against all others. Of more, the
    micro average (all answers in one pot), the macro average (the mean over classes of
    the best precision at each recall or above) and the band of the middle 80 % of
    classes are drawn. Classes that all photos show, or none, have no curve.

    Args:
        report: the answers.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.

    Raises:
        ValueError: no class has a curve.
    """
    return _save_lines(report, path, _precision_recall, ("recall", "precision"), "AP")


def save_roc(report: ClassificationReport, path: str | Path | None = None) -> "Figure":
    """Draw the true positive rate over the false one, and name the area under it.

    Lines as in `save_precision_recall`; two classes that exclude each other have the
    same area, and the second alone is drawn.

    Args:
        report: the answers.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.

    Raises:
        ValueError: no class has a curve.
    """
    labels = ("false positive rate", "true positive rate")
    return _save_lines(report, path, _roc, labels, "AUC")


def save_calibration(
    report: ClassificationReport, path: str | Path | None = None, bins: int = 15
) -> "Figure":
    """Draw how often answers are right over the probability they are given with.

    Below it, the number of answers by probability, on a logarithmic axis. Points under
    the diagonal are answers that the model is too sure of.

    Args:
        report: the answers.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        bins: as in `reliability`.

    Raises:
        ValueError: `bins` is not an integer of at least 1.
    """
    table = reliability(*report.confidences, bins)
    error = expected_calibration_error(*report.confidences, bins)
    table = table[table["count"] > 0]
    figure = new_figure(*_SIZE)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    share = "share that is true" if report.multi_label else "share that is right"
    plain_axes(upper, "", share)
    upper.plot((0, 1), (0, 1), color=INK, linewidth=0.8, linestyle=":")
    means, rates = table["confidence"], table["accuracy"]
    gap = f"gap, {error:.3f} on average"
    upper.vlines(means, means, rates, color=RED, linewidth=2, alpha=0.5, label=gap)
    upper.plot(means, rates, "o-", color=BLUE, markersize=5)
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    figure.legend(frameon=False, loc="outside lower center")
    plain_axes(lower, "probability given", "answers")
    widths = table["high"] - table["low"]
    lower.bar(table["low"], table["count"], 0.94 * widths, align="edge", color=BLUE)
    lower.set_yscale("log")
    lower.yaxis.set_major_formatter("{x:,.0f}")
    lower.yaxis.set_minor_formatter("")
    lower.set_ylim(0.7, None)
    return save_figure(figure, path)


def _save_lines(
    report: ClassificationReport,
    path: str | Path | None,
    curve: Callable[[np.ndarray, np.ndarray], _Line],
    labels: tuple[str, str],
    area: str,
) -> "Figure":
    """Draw `curve` of each class, or of averages, named by the `area` under it."""
    columns = scored_classes(report.truth)
    if not len(columns):
        raise ValueError(
            "A curve needs a class that some photos show and some do not. Received: "
            "labels without one"
        )
    if curve is _roc and len(report.class_names) == 2 and not report.multi_label:
        columns = columns[-1:]
    lines = [curve(report.truth[:, c], report.probabilities[:, c]) for c in columns]
    figure = new_figure(*_SIZE)
    axes = figure.subplots()
    plain_axes(axes, *labels)
    style = "default"
    if curve is _roc:
        axes.plot((0, 1), (0, 1), color=INK, linewidth=0.8, linestyle=":")
    else:
        style = "steps-pre"  # the area under steps is the average precision
    handles, texts = [], []
    if len(lines) <= _FEW:
        names = [shorten(report.class_names[column], 24) for column in columns]
    else:
        heights = np.array([_at_grid(line, curve) for line in lines])
        low, high = np.quantile(heights, (0.1, 0.9), axis=0)
        band = axes.fill_between(_GRID, low, high, color=BLUE, alpha=0.15, linewidth=0)
        handles, texts = [band], ["middle 80% of classes"]
        mean = float(np.mean([line.area for line in lines]))
        macro = _Line(_GRID, heights.mean(axis=0), mean)
        micro = curve(report.truth.ravel(), report.probabilities.ravel())
        names, lines = ["macro average", "micro average"], [macro, micro]
    for name, line, colour in zip(names, lines, _COLOURS, strict=False):
        handles += axes.plot(
            line.x, line.y, color=colour, linewidth=1.8, drawstyle=style
        )
        texts.append(f"{name}, {area} {line.area:.3f}")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    # Passed on, not found by label: matplotlib hides labels that begin with "_".
    legend = figure.legend(handles, texts, loc="outside lower center", frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return save_figure(figure, path)


def _precision_recall(truth: np.ndarray, probabilities: np.ndarray) -> _Line:
    precision, recall, _ = metrics.precision_recall_curve(
        truth, probabilities, drop_intermediate=True
    )
    area = metrics.average_precision_score(truth, probabilities)
    return _Line(recall[::-1], precision[::-1], area)


def _roc(truth: np.ndarray, probabilities: np.ndarray) -> _Line:
    false, true, _ = metrics.roc_curve(truth, probabilities)
    return _Line(false, true, metrics.auc(false, true))


def _at_grid(line: _Line, curve: Callable[..., _Line]) -> np.ndarray:
    """Heights of a line at `_GRID`."""
    if curve is _roc:
        return np.interp(_GRID, line.x, line.y)
    best = np.maximum.accumulate(line.y[::-1])[::-1]
    return best[np.searchsorted(line.x, _GRID)]
