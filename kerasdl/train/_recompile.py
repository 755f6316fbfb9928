"""Compile a model again, or another one like it, with what the user gave."""

from typing import Any

import keras

from kerasdl._keras_internals import (
    BOOKS,
    averages_of,
    built_for,
    compile_arguments,
    forget_state,
    given_rate,
    trainable_of,
)
from kerasdl._layer_walks import layers_in_order
from kerasdl._optimizer import has_settable_rate, names_optimizers, plain
from kerasdl.callbacks import compiled_rate


def check_optimizer(model: keras.Model) -> None:
    """Raise ValueError if `model` has an optimizer that cannot be kept."""
    if model.compiled and isinstance(model.optimizer, keras.optimizers.MultiOptimizer):
        raise ValueError(
            "`model` must be compiled with one optimizer. Received: a MultiOptimizer, "
            "which Keras cannot freeze under. `set_layer_rates` gives layers rates of "
            "their own with any other."
        )


def recompile(model: keras.Model) -> None:
    """Compile a compiled `model` as it was, since Keras ignores `trainable` otherwise.

    Its optimizer stays, with its state. It is built for all variables that may train
    one day: Keras refuses one that meets a variable later.

    An optimizer with `use_ema=True` is built for what trains alone. Keras hands its
    averages out to the training variables by position.
    """
    with model.distribute_strategy.scope():
        optimizer = model.optimizer
        if optimizer is None or names_optimizers(model):  # they stay as they are
            _compile(model, model, optimizer)
            return
        inner = plain(optimizer)
        wanted = model.trainable_variables if inner.use_ema else _all_variables(model)
        if not optimizer.built:
            optimizer.build(wanted)
        elif _must_rebuild(inner, wanted):
            _rebuild(inner, wanted)
        _compile(model, model, optimizer)


def compile_like(source: keras.Model, target: keras.Model) -> None:
    """Compile `target` as `source` is, with a new optimizer of the same settings.

    Losses and metrics are those of `source` themselves: one of the two trains at a
    time.

    Raises:
        ValueError: `source` has a `compile` or a `train_step` of its own, which
            `target` lacks, or an optimizer that cannot be made anew.
    """
    check_same_step(source, target)
    with source.distribute_strategy.scope():
        _compile(source, target, _fresh(source.optimizer))
        if has_settable_rate(target.optimizer):
            # Not the rate that an interrupted schedule left.
            target.optimizer.learning_rate = compiled_rate(source.optimizer)
        target.optimizer.build(target.trainable_variables)


def check_same_step(source: keras.Model, target: keras.Model) -> None:
    """Raise ValueError if `target`, made of `source`, would train in another way."""
    for name in ("compile", "train_step", "test_step", "compute_loss"):
        if getattr(type(source), name) is not getattr(type(target), name):
            raise ValueError(
                f"`model` must have Keras's own `{name}`, as a part or a copy of it "
                f"cannot have another. Received: a {type(source).__name__} with a "
                f"`{name}` of its own"
            )


def _compile(
    source: keras.Model, target: keras.Model, optimizer: keras.optimizers.Optimizer
) -> None:
    # Not by `get_compile_config`: what it makes of losses and metrics are copies, and
    # it fails for functions that are not registered.
    config = {**compile_arguments(source), "optimizer": optimizer}
    scales = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    # Keras's own: what a `compile` of a subclass adds to these is on the model already.
    keras.Model.compile(target, **config, auto_scale_loss=scales)


def _fresh(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """An optimizer of the same class and settings, not built."""
    try:
        config = optimizer.get_config()
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            config["inner_optimizer"] = _fresh(optimizer.inner_optimizer)
            return type(optimizer)(**config)
        if not has_settable_rate(optimizer):
            config["learning_rate"] = given_rate(optimizer)  # such as a schedule
        return type(optimizer).from_config(config)
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            "`model` must be compiled with an optimizer whose `get_config` holds the "
            f"arguments of its `__init__`. Received: a {type(optimizer).__name__} "
            f"({error})"
        ) from error


def _all_variables(model: keras.Model) -> list[keras.Variable]:
    """What `model.trainable_variables` would be if no layer were frozen."""
    parts = layers_in_order(model)
    own = {id(variable) for part in parts for variable in trainable_of(part)}
    return [variable for variable in model.variables if id(variable) in own]


def _must_rebuild(
    optimizer: keras.optimizers.Optimizer, wanted: list[keras.Variable]
) -> bool:
    known = [id(variable) for variable in built_for(optimizer)]
    if optimizer.use_ema:
        return known != [id(variable) for variable in wanted]
    return not {id(variable) for variable in wanted} <= set(known)


def _rebuild(
    optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]
) -> None:
    """Build `optimizer` again, for `variables`; keep what it knows of them."""
    before = _state(optimizer)
    known = {id(v): i for i, v in enumerate(built_for(optimizer))}
    forget_state(optimizer)
    optimizer.build(variables)
    averages = averages_of(optimizer) if optimizer.use_ema else None
    for name, value in _state(optimizer).items():
        if isinstance(value, keras.Variable):
            value.assign(before[name])
            continue
        for variable, slot in zip(variables, value, strict=True):
            if slot is None:
                continue
            if id(variable) in known:
                slot.assign(before[name][known[id(variable)]])
            elif value is averages:
                slot.assign(variable)  # zeros are right before the first step alone


def _state(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """Variables of `optimizer`, and lists with one for each variable it was built for.

    By the name of their attribute.
    """
    count = len(built_for(optimizer))
    return {
        name: value
        for name, value in vars(optimizer).items()
        if isinstance(value, keras.Variable)
        or isinstance(value, list)
        and name not in BOOKS
        and len(value) == count > 0
        and all(slot is None or isinstance(slot, keras.Variable) for slot in value)
    }
