"""What happens from batch to batch: learning rates, losses, the search for a rate."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasdl._figure import BLUE, GREY, RED, new_figure, plain_axes, save_figure

from .curves import smooth

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def save_learning_rate(
    rates: Sequence[float], path: str | Path | None = None
) -> "Figure":
    """Draw the learning rate of each batch.

    Args:
        rates: in the order of training.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.

    Raises:
        ValueError: `rates` are none.
    """
    _check_some("rates", rates)
    figure, axes = _by_batch("learning rate")
    axes.plot(np.arange(1, len(rates) + 1), rates, color=BLUE, linewidth=2)
    axes.set_ylim(bottom=0)
    return save_figure(figure, path)


def save_losses(
    losses: Sequence[float], path: str | Path | None = None, factor: float = 0.95
) -> "Figure":
    """Draw the loss of each batch: as measured, and a smoothed line.

    The line is the mean of `smooth`.

    Args:
        losses: in the order of training.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        factor: of the mean before, in [0, 1); `1 - factor` is that of the next loss.

    Raises:
        ValueError: `losses` are none, or `factor` is outside its range.
    """
    _check_some("losses", losses)
    smoothed = smooth(losses, factor)
    batches = np.arange(1, len(losses) + 1)
    figure, axes = _by_batch("loss")
    axes.plot(batches, losses, color=GREY, alpha=0.45, linewidth=1, label="a batch")
    axes.plot(batches, smoothed, color=RED, linewidth=2, label="smoothed")
    axes.legend(frameon=False)
    return save_figure(figure, path)


def save_lr_find(
    rates: Sequence[float] | np.ndarray,
    losses: Sequence[float] | np.ndarray,
    smoothed: Sequence[float] | np.ndarray,
    suggestions: Mapping[str, float],
    path: str | Path | None = None,
    log_rates: bool = True,
) -> "Figure":
    """Draw losses over learning rates: points, a smoothed line, and marks on it.

    An explosion of the loss is cut off: it would flatten what comes before.

    Args:
        rates: learning rates, rising.
        losses: one for each rate.
        smoothed: one for each rate.
        suggestions: rates to mark, by name.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        log_rates: a logarithmic axis.

    Raises:
        ValueError: rates, losses and smoothed differ in number, or are none.
    """
    if not len(rates) == len(losses) == len(smoothed) > 0:
        raise ValueError(
            "`losses` and `smoothed` must be one for each of at least one rate. "
            f"Received: {len(losses)}, {len(smoothed)} for {len(rates)} rates"
        )
    means = np.asarray(smoothed, "float64")
    figure = new_figure(8, 4.8)
    axes = figure.subplots()
    plain_axes(axes, "learning rate", "loss of a batch")
    axes.plot(rates, losses, "o", color=GREY, alpha=0.45, markersize=4)
    axes.plot(rates, means, color=BLUE, linewidth=2, label="smoothed")
    if log_rates:
        axes.set_xscale("log")
    for (name, rate), marker in zip(suggestions.items(), cycle("osD^v"), strict=False):
        at = np.interp(rate, rates, means)
        label = f"{name}  {rate:.1e}"
        axes.axvline(rate, color=RED, linewidth=0.8, linestyle=":")
        axes.plot(rate, at, marker, color=RED, markersize=7, label=label)
    settled = means[: means.argmin() + 1]
    lowest = min(means.min(), *losses)
    height = settled.max() - lowest or np.inf
    top = min(means.max(), settled.max() + 0.5 * height)
    margin = 0.05 * (top - lowest) or 1.0
    axes.set_ylim(lowest - margin, top + margin)
    axes.legend(frameon=False)
    return save_figure(figure, path)


def _by_batch(ylabel: str) -> "tuple[Figure, Axes]":
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(8, 4.4)
    axes = figure.subplots()
    plain_axes(axes, "batch", ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure, axes


def _check_some(name: str, values: Sequence[float]) -> None:
    if not len(values):
        raise ValueError(f"`{name}` must hold a number for each batch. Received: none")
