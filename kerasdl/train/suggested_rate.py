"""The learning rate of a training that is given none, and a word on one too high."""

from pathlib import Path
from typing import Any

import keras

from .layer_rates import layer_rates, set_layer_rates
from .lr_find import lr_find
from .resumable_fit import recorded_rate

_FAR_ABOVE = 10  # times what a sweep suggested


def suggested_rate(
    model: keras.Model,
    data: Any,
    suggested: float | None = None,
    state: str | Path | None = None,
    *,
    verbose: int = 1,
) -> float:
    """The rate that `state` was begun with, or `suggested`, or the valley of `lr_find`.

    It is one for all layers, and so is that of the sweep. What it takes is printed,
    unless `verbose` is 0.
    """
    if (rate := recorded_rate(state)) is not None:
        source = "that the training was begun with"
    elif suggested is not None:
        rate, source = suggested, "the valley of the last lr_find"
    else:
        set_layer_rates(model, layer_rates(model)[-1])
        found = lr_find(model, data, verbose=verbose)
        rate, source = found.suggestions["valley"], "the valley of lr_find"
    if verbose:
        print(f"learning rate {rate:.2g}, {source}")
    return rate


def say_if_far_above(rate: float, suggested: float | None) -> None:
    """Print a line if `rate` is more than ten times what a sweep suggested."""
    if suggested is not None and rate > _FAR_ABOVE * suggested:
        print(
            f"learning rate {rate:.2g} is {rate / suggested:.0f} times the valley of "
            f"lr_find, {suggested:.2g}: the loss may rise"
        )
