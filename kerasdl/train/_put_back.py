"""Leave a model and its data as they were found."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from kerasdl._optimizer import one_optimizer
from kerasdl.batches import BatchStream


@contextmanager
def putting_back(model: keras.Model, stream: BatchStream | None) -> Iterator[None]:
    """Put a compiled, built `model` and the epoch of `stream` back at the end.

    To the bit: weights, BatchNorm statistics, the state of random generators, all of
    the optimizer, the learning rate among it, and metrics. Also after an exception.
    """
    optimizer = one_optimizer(model)
    with model.distribute_strategy.scope():
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables, *model.metrics_variables]
    values = [(part, part.numpy()) for v in variables for part in _parts(v)]
    history = getattr(model, "history", None)  # `fit` puts its own there
    epoch = 0 if stream is None else stream.next_epoch
    try:
        yield
    finally:
        model.reset_metrics()  # those that have been built since
        for part, value in values:
            part.assign(value)
        model.history = history
        model.stop_training = False
        if stream is not None:
            stream.next_epoch = epoch


def _parts(variable: keras.Variable) -> list[Any]:
    """The variables that hold the value: one for each device under a strategy.

    Each is kept by itself: reading the whole of a metric gives their sum.
    """
    value = variable.value
    if isinstance(value, tf.distribute.DistributedValues):
        return list(value.values)
    return [value]
