"""SGDR in one call: cosine cycles, one owner of the rate, a run that resumes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl.batches import TrainingData, as_training_data
from kerasdl.callbacks import CosineRestarts, RateSchedule, StopOnBadLoss
from kerasdl.schedules import total_epochs

from ._class_weight import check_class_weight
from .given_callbacks import Given, given_callbacks
from .layer_rates import layer_rates, set_layer_rates
from .resumable_fit import resumable_fit
from .suggested_rate import say_if_far_above, suggested_rate

_OTHER_SETTERS = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)


def fit_cycles(
    model: keras.Model,
    data: TrainingData | tuple[Any, Any],
    learning_rate: float | Sequence[float] | slice | None = None,
    cycles: int = 3,
    cycle_len: int = 1,
    cycle_mult: int = 2,
    callbacks: Given = (),
    *,
    first_epoch: int = 0,
    state: str | Path | None = None,
    class_weight: Mapping[int, float] | None = None,
    suggested: float | None = None,
    history: list[dict[str, float]] | None = None,
    verbose: int = 1,
) -> pd.DataFrame:
    """Train by cosine cycles with restarts: 3 cycles of 1, 2 and 4 epochs are 7.

    A loss that is not a number stops the training with an error (`StopOnBadLoss`). One
    call says all that decides a training, so that a state can be held to it: hence so
    many arguments.

    Args:
        model: compiled, with a float as its learning rate.
        data: `TrainingData`, such as an `ImageData` or an `ActivationData`; or a pair
            of what `fit` takes for training (one epoch a pass) and for validation (or
            None).
        learning_rate: the maximum, which the model is left with; a list or a slice for
            rates by depth, as in `set_layer_rates`. None takes `suggested`, or the
            "valley" of an `lr_find` that is run now, and prints it; what goes on with a
            `state` takes the rate that it was begun with.
        cycles: number of cycles.
        cycle_len: epochs of the first cycle.
        cycle_mult: each cycle is so many times longer than the one before.
        callbacks: further callbacks. One schedule of `kerasdl.callbacks` takes the
            place of the cosine.
        first_epoch: number of epochs that an ImageData has shown before, so that order
            and augmentation go on from there: a model knows by heart what it has seen.
        state: `.npz` file: what it holds is gone on with, if rates, cycles and data are
            those it was made with; see `resumable_fit`. None keeps nothing.
        class_weight: how much a photo of each class counts in the training loss, such
            as `ImageData.class_weights()`: a number of 0 or more for each class, from 0
            on. Labels that `mix` shares between classes count as the larger share.
        suggested: a rate that `lr_find` suggested, if that is known: a line is printed
            where `learning_rate` is more than ten times as high.
        history: as in `resumable_fit`.
        verbose: as in `resumable_fit`; with 0 no rate is printed either.

    Returns:
        A row for each epoch, as of `resumable_fit`; `attrs["learning_rates"]` has the
        rate of each batch, which `plots.save_learning_rate` draws.

    Raises:
        ValueError: two callbacks that set the rate, or one of Keras's; an optimizer
            whose rate cannot be set; a `CosineRestarts` of other cycles; a
            `class_weight` of other classes, or for several labels a photo; or an
            argument outside its range. Nothing is trained then.
        FloatingPointError: the loss is NaN or infinite; the message names the batch and
            its files.

    Reference:
        Loshchilov & Hutter, 2017, https://arxiv.org/abs/1608.03983; fast.ai, lesson 1.

    Example:
        ```
        history = kd.train.fit_cycles(model, data, 1e-2, cycles=2)
        ```
    """
    check_one_of("verbose", verbose, (0, 1))
    check_positive_int("cycles", cycles)
    check_positive_int("cycle_len", cycle_len)
    check_positive_int("cycle_mult", cycle_mult)
    callbacks = given_callbacks(callbacks)
    given = as_training_data(data)
    schedule = _schedule(callbacks, cycle_len, cycle_mult)
    class_weight = _class_weight(class_weight, data)
    if learning_rate is None:
        swept = data[0] if isinstance(data, (tuple, list)) else data
        learning_rate = suggested_rate(model, swept, suggested, state, verbose=verbose)
    set_layer_rates(model, learning_rate)
    if verbose:
        say_if_far_above(layer_rates(model)[-1], suggested)
    schedule.begin_anew()
    own = [] if schedule in callbacks else [schedule]
    if not any(isinstance(callback, StopOnBadLoss) for callback in callbacks):
        own.append(StopOnBadLoss(given))
    facts = getattr(data, "facts", None) if state is not None else None
    table = resumable_fit(
        model,
        given.train,
        total_epochs(cycles, cycle_len, cycle_mult),
        state,
        validation_data=given.valid,
        callbacks=[*own, *callbacks],
        start_epoch=lambda epoch: given.start_epoch(first_epoch + epoch),
        class_weight=class_weight,
        made_with={"first_epoch": first_epoch, "photos": facts and facts()},
        history=history,
        verbose=verbose,
    )
    table.attrs["learning_rates"] = list(schedule.rates)
    return table


def _class_weight(
    class_weight: Mapping[int, float] | None, data: Any
) -> dict[int, float] | None:
    """`class_weight` as Keras takes it."""
    checked = check_class_weight(class_weight, getattr(data, "class_names", None))
    if checked and getattr(data, "label_mode", None) == "multi_label":
        raise ValueError(
            "`class_weight` must be None for several labels a photo: Keras would look "
            f"at one of them alone. Received: class_weight={class_weight!r:.200}. "
            "Compile with a loss that weights the columns."
        )
    return checked


def _schedule(
    callbacks: Sequence[keras.callbacks.Callback], cycle_len: int, cycle_mult: int
) -> RateSchedule:
    """The one callback that sets the rate."""
    ours = [c for c in callbacks if isinstance(c, RateSchedule)]
    others = [c for c in callbacks if isinstance(c, _OTHER_SETTERS)]
    if others or len(ours) > 1:
        names = ", ".join(type(callback).__name__ for callback in [*ours, *others])
        raise ValueError(
            "`callbacks` must hold at most one that sets the learning rate, of "
            f"kerasdl.callbacks. Received: {names}"
        )
    schedule = ours[0] if ours else CosineRestarts(cycle_len, cycle_mult)
    if isinstance(schedule, CosineRestarts):
        cycles = (schedule.cycle_len, schedule.cycle_mult)
        if cycles != (cycle_len, cycle_mult):
            raise ValueError(
                "`callbacks` must hold a CosineRestarts of the same cycles. Received: "
                f"cycle_len={cycles[0]}, cycle_mult={cycles[1]} in it, and "
                f"cycle_len={cycle_len}, cycle_mult={cycle_mult}"
            )
    return schedule
