"""What all callbacks that set the learning rate share: one owner, one position."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import keras

from kerasdl import plots
from kerasdl._checks import check_non_negative_int
from kerasdl._optimizer import (
    check_single,
    has_settable_rate,
    held_by,
    iterations_of,
    one_optimizer,
    plain,
    rate_of,
)
from kerasdl.schedules import warm_up

from ._momentum import put_momentum_back

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What a schedule set last, and the maximum it began from, by optimizer.
_LOWERED: "WeakKeyDictionary[Any, tuple[float, float]]" = WeakKeyDictionary()
# By the id of the optimizer, in the dict that Keras gives to all callbacks.
_OWNERS = "learning_rate_owners"


class RateSchedule(keras.callbacks.Callback):
    """Sets the learning rate before each batch; a subclass says what it is.

    The optimizer is that of the model. One with several, which its own `train_step`
    names as `model.optimizers`, needs `optimizer`; each may have a schedule.

    The maximum is the rate that the optimizer has when training begins, or, where an
    exception or Ctrl-C ended the training before, the one it had when that began. To
    begin from another, set it after the interruption, or compile anew. The step is
    `optimizer.iterations` minus its value then, in batches:

    - With gradient accumulation the optimizer counts updates: the step is that of the
      batch after the last update, and the rate changes when the weights do.
    - A batch that loss scaling throws away is not counted: the curve is late by so many
      batches.

    The end of training puts the maximum back, so that a second `fit` begins a new
    curve. An exception or Ctrl-C does not: a next `fit` with the same callback goes on
    with the old one. So does a new process by `get_state` and `set_state`, as in
    `train.resumable_fit`.

    Args:
        warm_up_steps: batches over which the rate rises in equal steps to the curve.
        optimizer: the one whose rate is set; None for a model with one alone.

    Attributes:
        rates: the rate of each batch so far.
        steps_per_epoch: batches in an epoch of this `fit`; 0 before.

    Raises:
        ValueError: in `fit`: an unknown number of batches, an optimizer whose rate
            cannot be set or that is not of the model, several of which none is given,
            `steps_per_execution` above 1, another schedule of the same, or a rate that
            something else has set.
    """

    def __init__(
        self,
        warm_up_steps: int = 0,
        *,
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> None:
        super().__init__()
        check_non_negative_int("warm_up_steps", warm_up_steps)
        self.warm_up_steps = warm_up_steps
        self.optimizer = optimizer
        self.rates: list[float] = []
        self.steps_per_epoch = 0
        self._max_rate = 0.0
        self.begin_anew()

    def rate(self, step: int, max_rate: float) -> float:
        """The learning rate of a batch.

        Args:
            step: batches since the schedule began.
            max_rate: the optimizer's rate when it began.
        """
        raise NotImplementedError

    def get_state(self) -> dict[str, Any]:
        """What a new process needs to go on."""
        return {
            "first_step": self._first_step,
            "max_rate": self._max_rate,
            "rates": list(self.rates),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on where `get_state` gave `state`."""
        self._first_step = state["first_step"]
        self._max_rate = state["max_rate"]
        self.rates = list(state["rates"])

    def begin_anew(self) -> None:
        """Begin a new curve with the next `fit`, even after an exception."""
        self._first_step: int | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        name = type(self).__name__
        steps = self.params["steps"]
        if steps is None:
            raise ValueError(
                f"`{name}` needs the number of batches in an epoch. Received: "
                "steps=None. Pass `steps_per_epoch=` to `fit()`."
            )
        self.steps_per_epoch = steps
        self._sets = _checked_optimizer(self.model, self.optimizer)
        owners = self.params.setdefault(_OWNERS, {})
        owner = owners.setdefault(id(self._sets), self)
        if owner is not self:
            raise ValueError(
                "`callbacks` must hold one alone that sets the learning rate of an "
                f"optimizer. Received: {type(owner).__name__} and {name}"
            )
        self._was_set = rate_of(self._sets)
        if self._first_step is None:
            self._max_rate = compiled_rate(self._sets)
            put_momentum_back(self._sets)

    def on_train_batch_begin(  # noqa: D102
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        found = rate_of(self._sets)
        if found != self._was_set:
            raise ValueError(
                f"`{type(self).__name__}` must be alone in setting the learning rate. "
                f"Received: a rate of {found:g} at batch {batch}, where it had set "
                f"{self._was_set:g}. Remove what changes it, such as "
                "LearningRateScheduler or ReduceLROnPlateau."
            )
        if self._first_step is None:  # not before: a refused `fit` begins nothing
            self._first_step = self._iterations()
            self.rates = []
        step = self.step
        rate = self.rate(step, self._max_rate) * warm_up(step, self.warm_up_steps)
        self._sets.learning_rate = rate
        self._was_set = rate_of(self._sets)  # rounded to its type
        _LOWERED[self._sets] = (self._was_set, self._max_rate)
        self.rates.append(self._was_set)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        self._sets.learning_rate = self._max_rate
        forget_lowered_rate(self._sets)
        self.begin_anew()
        del self.params[_OWNERS][id(self._sets)]

    @property
    def step(self) -> int:
        """Batches since the schedule began; 0 before."""
        first = self._first_step
        return 0 if first is None else self._iterations() - first

    @property
    def epochs_done(self) -> int:
        """Epochs since the schedule began, at the end of one; 0 before."""
        # Not by the optimizer, which counts updates: fewer than batches where it
        # accumulates gradients, or throws some away. Rounded after an interruption.
        began = self._first_step is not None
        return round(len(self.rates) / self.steps_per_epoch) if began else 0

    def plot_lr(self, path: str | Path | None = None) -> "Figure":
        """Draw the rate of each batch so far; see `plots.save_learning_rate`."""
        return plots.save_learning_rate(self.rates, path)

    def _iterations(self) -> int:
        accumulated = plain(self._sets).gradient_accumulation_steps
        return iterations_of(self._sets) * (accumulated or 1)


def compiled_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The rate that was compiled or set, even if an interruption left a schedule's."""
    found = rate_of(optimizer)
    lowered, compiled = _LOWERED.get(optimizer, (found, found))
    return compiled if found == lowered else found


def forget_lowered_rate(optimizer: keras.optimizers.Optimizer) -> None:
    """Take the rate that `optimizer` has for the one that was asked for."""
    _LOWERED.pop(optimizer, None)


def schedule_of(callback: keras.callbacks.Callback) -> RateSchedule | None:
    """The schedule of the training `callback` takes part in, of several the first."""
    return next(iter(callback.params.get(_OWNERS, {}).values()), None)


def _checked_optimizer(
    model: keras.Model, given: keras.optimizers.Optimizer | None
) -> keras.optimizers.Optimizer:
    """The one that a schedule sets, `given` or that of `model`, before every batch."""
    optimizer = one_optimizer(model) if given is None else given
    if all(optimizer is not one for one in held_by(model)):
        raise ValueError(
            "`optimizer` must be one of the model that `fit` trains. Received: "
            f"optimizer={optimizer.name!r}, a {type(optimizer).__name__} of another"
        )
    check_single(optimizer)
    if not has_settable_rate(optimizer):
        raise ValueError(
            "`model` must be compiled with a float as its learning rate, which a "
            "callback can set. Received: a LearningRateSchedule or a function "
            f"(learning_rate={rate_of(optimizer):g} at present)."
        )
    if model.steps_per_execution != 1:
        raise ValueError(
            "`steps_per_execution` must be 1 for a rate that changes every batch. "
            f"Received: steps_per_execution={model.steps_per_execution}"
        )
    return optimizer
