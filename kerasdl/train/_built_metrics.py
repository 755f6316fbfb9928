"""The variables of metrics, made before `fit` needs them."""

from typing import Any

import keras
import tensorflow as tf

from kerasdl._keras_internals import compile_metrics, graph_of
from kerasdl._optimizer import has_own_step


def build_metrics(model: keras.Model, x: Any) -> keras.Model:
    """Make the variables of the metrics of `model` for batches of `x`.

    Keras makes them in the step of `fit`, which TensorFlow then traces twice: a second
    time without what makes variables. Of a large network that is half of the seconds
    before the first batch.

    Args:
        model: compiled. One that is not functional or Sequential, or has a `train_step`
            of its own, is left as it is.
        x: what `fit` is given. Other than a tf.data.Dataset of inputs and targets, it
            is left to Keras.
    """
    metrics, graph = compile_metrics(model), graph_of(model)
    if metrics is None or graph is None or has_own_step(model):
        return model
    if not isinstance(x, tf.data.Dataset):
        return model
    _, targets, _ = keras.utils.unpack_x_y_sample_weight(x.element_spec)
    shapes = [getattr(spec, "shape", None) for spec in tf.nest.flatten(targets)]
    if shapes and all(shape is not None and shape.rank for shape in shapes):
        with model.distribute_strategy.scope():
            metrics.build(targets, graph.output)
    return model
