"""What all callbacks that set the learning rate share: one owner, one position."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import keras

from kerasdl import plots
from kerasdl._checks import check_non_negative_int
from kerasdl.schedules import warm_up

from ._momentum import put_momentum_back

# What a schedule set last, and the maximum it began from, by optimizer.
_LOWERED: "WeakKeyDictionary[Any, tuple[float, float]]" = WeakKeyDictionary()
_OWNER = "learning_rate_owner"  # a mark in the dict that Keras gives to all callbacks


class RateSchedule(keras.callbacks.Callback):
    """Sets the learning rate before each batch; a subclass says what it is.

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

    Attributes:
        rates: the rate of each batch so far.
        steps_per_epoch: batches in an epoch of this `fit`.

    Raises:
        ValueError: in `fit`: an unknown number of batches, an optimizer whose rate
            cannot be set, `steps_per_execution` above 1, another schedule, or a rate
            that something else has set.
    """

    def __init__(self, warm_up_steps: int = 0) -> None:
        super().__init__()
        check_non_negative_int("warm_up_steps", warm_up_steps)
        self.warm_up_steps = warm_up_steps
        self.rates: list[float] = []
        self.steps_per_epoch: int | None = None
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
        self.steps_per_epoch = self.params["steps"]
        if self.steps_per_epoch is None:
            raise ValueError(
                f"`{name}` needs the number of batches in an epoch. Received: "
                "steps=None. Pass `steps_per_epoch=` to `fit()`."
            )
        owner = self.params.setdefault(_OWNER, self)
        if owner is not self:
            raise ValueError(
                "`callbacks` must hold one alone that sets the learning rate. "
                f"Received: {type(owner).__name__} and {name}"
            )
        _check_optimizer(self.model)
        self._was_set = self._rate_of_optimizer()
        if self._first_step is None:
            self._max_rate = compiled_rate(self.model.optimizer)
            put_momentum_back(self.model)

    def on_train_batch_begin(  # noqa: D102
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        found = self._rate_of_optimizer()
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
        self.model.optimizer.learning_rate = rate
        self._was_set = self._rate_of_optimizer()  # rounded to its type
        _LOWERED[self.model.optimizer] = (self._was_set, self._max_rate)
        self.rates.append(self._was_set)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        self.model.optimizer.learning_rate = self._max_rate
        forget_lowered_rate(self.model.optimizer)
        self.begin_anew()
        del self.params[_OWNER]

    @property
    def step(self) -> int:
        """Batches since the schedule began; 0 before."""
        began = self._first_step is not None
        return self._iterations() - self._first_step if began else 0

    @property
    def epochs_done(self) -> int:
        """Epochs since the schedule began, at the end of one; 0 before."""
        # Not by the optimizer, which counts updates: fewer than batches where it
        # accumulates gradients, or throws some away. Rounded after an interruption.
        began = self._first_step is not None
        return round(len(self.rates) / self.steps_per_epoch) if began else 0

    def plot_lr(self, path: str | Path) -> None:
        """Draw the rate of each batch so far; see `plots.save_learning_rate`."""
        plots.save_learning_rate(self.rates, path)

    def _iterations(self) -> int:
        optimizer = self.model.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        # `int()` and `float()` fail on the variables of a distribution strategy.
        count = int(keras.ops.convert_to_numpy(optimizer.iterations))
        return count * (inner.gradient_accumulation_steps or 1)

    def _rate_of_optimizer(self) -> float:
        return _rate_of(self.model.optimizer)


def compiled_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The rate that was compiled or set, even if an interruption left a schedule's."""
    found = _rate_of(optimizer)
    lowered, compiled = _LOWERED.get(optimizer, (found, found))
    return compiled if found == lowered else found


def forget_lowered_rate(optimizer: keras.optimizers.Optimizer) -> None:
    """Take the rate that `optimizer` has for the one that was asked for."""
    _LOWERED.pop(optimizer, None)


def _rate_of(optimizer: keras.optimizers.Optimizer) -> float:
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def schedule_of(callback: keras.callbacks.Callback) -> RateSchedule | None:
    """The schedule that sets the rate of the training `callback` takes part in."""
    return callback.params.get(_OWNER)


def _check_optimizer(model: keras.Model) -> None:
    """Raise ValueError unless a callback can set the rate of every batch of `model`."""
    optimizer = model.optimizer
    if isinstance(optimizer, keras.optimizers.MultiOptimizer):
        raise ValueError(
            "`model` must be compiled with one optimizer. Received: a MultiOptimizer, "
            "whose parts have rates of their own."
        )
    rate = optimizer.learning_rate
    if not isinstance(rate, keras.Variable):
        raise ValueError(
            "`model` must be compiled with a float as its learning rate, which a "
            "callback can set. Received: a LearningRateSchedule or a function "
            f"(learning_rate={float(rate):g} at present)."
        )
    if model.steps_per_execution != 1:
        raise ValueError(
            "`steps_per_execution` must be 1 for a rate that changes every batch. "
            f"Received: steps_per_execution={model.steps_per_execution}"
        )
