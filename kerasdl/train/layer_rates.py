"""Learning rates by depth, for any stock optimizer, which stays a stock optimizer."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl._keras_internals import WEIGHT_DECAY, given_rate, key_of
from kerasdl._layer_walks import own_weights
from kerasdl._optimizer import has_settable_rate, one_optimizer, plain, rate_of
from kerasdl.callbacks import forget_lowered_rate

from .depth_groups import depth_groups


def set_layer_rates(
    model: keras.Model, learning_rate: float | Sequence[float] | slice
) -> None:
    """Give each of `depth_groups` a learning rate of its own.

    The last group's rate is `model.optimizer.learning_rate`. Whatever sets that, such
    as a schedule, scales the other groups with it. Clipping by the global norm stays
    global; decoupled weight decay goes with each group's rate. The optimizer keeps its
    state. It is saved as what it is, with the last group's rate alone: set rates again
    after loading.

    Args:
        model: compiled with any optimizer of Keras but MultiOptimizer, and a float as
            its learning rate.
        learning_rate: one rate for all; or a list of rates from the first group to the
            last, of which a short one counts from the last group, and its first rate is
            also that of the groups before; or `slice(first, last)`, geometric between;
            or `slice(last)`, a tenth of it for all groups but the last.

    Raises:
        ValueError: `learning_rate` holds something else or more rates than there are
            groups, or `model` does not fit.

    Example:
        ```
        kd.train.set_layer_rates(model, slice(1e-4, 1e-2))
        ```
    """
    optimizer = check_settable_rate(model)
    groups = depth_groups(model)
    rates = _spread(learning_rate, len(groups))
    optimizer.learning_rate = rates[-1]
    forget_lowered_rate(one_optimizer(model))
    installed = _installed(optimizer)
    if isinstance(learning_rate, Real):
        if installed is not None:
            installed.remove()
            _trace_again(model)
        return
    group_of: dict[Any, int] = {}
    for number, group in enumerate(groups):
        for layer in group:
            for variable in own_weights(layer):  # the first has what is shared
                group_of.setdefault(key_of(optimizer, variable), number)
    if installed is None or installed.group_of != group_of:
        if installed is not None:
            installed.remove()
        installed = _GroupRates(optimizer, group_of, len(groups))
        _trace_again(model)
    installed.set([rate / rates[-1] for rate in rates])


def layer_rates(model: keras.Model) -> list[float]:
    """The learning rate of each of `depth_groups`, as things stand.

    Raises:
        ValueError: `model` is not compiled or not built.

    Example:
        ```
        kd.train.set_layer_rates(model, [1e-4, 1e-3])
        kd.train.layer_rates(model)  # of each group
        ```
    """
    optimizer = plain(one_optimizer(model))
    last = rate_of(optimizer)
    installed = _installed(optimizer)
    if installed is None:
        return [last] * len(depth_groups(model))
    return [last * ratio for ratio in installed.ratios]


def rate_ratios(optimizer: keras.optimizers.Optimizer) -> list[float] | None:
    """The rate of each group by that of the last, as `set_layer_rates` set them."""
    installed = _installed(plain(optimizer))
    return None if installed is None else installed.ratios


def check_settable_rate(model: keras.Model) -> keras.optimizers.Optimizer:
    """Return the optimizer of `model`, inside any loss scaling, if its rate can be set.

    Raises:
        ValueError: `model` is not compiled, with one optimizer and a float as its rate.
    """
    optimizer = plain(one_optimizer(model))
    if not has_settable_rate(optimizer):
        raise ValueError(
            "`model` must be compiled with a float as its learning rate, which can be "
            f"set. Received: learning_rate={given_rate(optimizer)!r}. Compile with "
            "a float, and let a callback change it."
        )
    return optimizer


class _GroupRates:
    """What stands in for two methods of an optimizer instance.

    The ratios are variables of TensorFlow, which the traced training step reads: a
    change needs no new trace. They are not the optimizer's own, so that its saved
    state is a stock one.
    """

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        group_of: dict[Any, int],
        count: int,
    ) -> None:
        self.optimizer = optimizer
        self.group_of = group_of  # by key: a variable's path changes when it is loaded
        dtype = keras.config.floatx()
        one = tf.constant(1.0, dtype)
        self._ratios = [tf.Variable(one, trainable=False) for _ in range(count)]
        optimizer.update_step = self.update_step
        setattr(optimizer, WEIGHT_DECAY, self.apply_weight_decay)

    @property
    def ratios(self) -> list[float]:
        return [float(ratio.numpy()) for ratio in self._ratios]

    def set(self, ratios: list[float]) -> None:
        for variable, ratio in zip(self._ratios, ratios, strict=True):
            variable.assign(ratio)

    def remove(self) -> None:
        del self.optimizer.update_step
        delattr(self.optimizer, WEIGHT_DECAY)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        ratio = self._ratios[self._group(variable)]
        step = type(self.optimizer).update_step
        step(self.optimizer, gradient, variable, learning_rate * ratio)

    def apply_weight_decay(self, variables: Sequence[Any]) -> None:
        decay = getattr(type(self.optimizer), WEIGHT_DECAY)
        for number, ratio in enumerate(self._ratios):
            group = [v for v in variables if self._group(v) == number]
            if group:
                decay(_AtRatio(self.optimizer, ratio), group)

    def _group(self, variable: Any) -> int:
        return self.group_of[key_of(self.optimizer, variable)]


class _AtRatio:
    """An optimizer that reads a share of its learning rate: Keras's decay asks it."""

    def __init__(
        self, optimizer: keras.optimizers.Optimizer, ratio: tf.Variable
    ) -> None:
        self._optimizer = optimizer
        self._ratio = ratio

    @property
    def learning_rate(self) -> Any:
        return self._optimizer.learning_rate * self._ratio

    def __getattr__(self, name: str) -> Any:
        return getattr(self._optimizer, name)


def _installed(optimizer: keras.optimizers.Optimizer) -> _GroupRates | None:
    owner = getattr(optimizer.update_step, "__self__", None)
    return owner if isinstance(owner, _GroupRates) else None


def _trace_again(model: keras.Model) -> None:
    """A training step that was traced before does not see other methods."""
    if model.train_function is not None:
        model.make_train_function(force=True)


def _spread(learning_rate: Any, count: int) -> list[float]:
    """A rate for each of `count` groups."""
    rates: list[Any]
    if isinstance(learning_rate, slice) and learning_rate.step is None:
        first, last = learning_rate.start, learning_rate.stop
        rates = [last] if first is None else [first, last]
    elif isinstance(learning_rate, (list, tuple, np.ndarray)):
        rates = list(learning_rate)
    else:
        rates = [learning_rate]
    numbers = all(isinstance(rate, Real) and math.isfinite(rate) for rate in rates)
    if not rates or not numbers or min(rates) <= 0 or len(rates) > count:
        raise ValueError(
            "`learning_rate` must be a number above 0, a list of at most one for each "
            f"of the model's {count} groups, or slice(first, last). Received: "
            f"learning_rate={learning_rate!r}"
        )
    rates = [float(rate) for rate in rates]
    if not isinstance(learning_rate, slice):
        return [rates[0]] * (count - len(rates)) + rates
    if len(rates) == 1:
        return [rates[0] / 10] * (count - 1) + rates
    first, last = rates
    return np.geomspace(first, last, count).tolist() if count > 1 else [last]
