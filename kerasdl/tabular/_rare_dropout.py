"""Dropout of few units that draws where they are, not a number for every unit."""

import math
from types import MethodType
from typing import Any

import keras
import tensorflow as tf

MOST = 0.1  # above, Keras's way takes no longer


def dropout_layer(rate: float, seed: int | None, name: str) -> keras.layers.Dropout:
    """Keras's layer; on processors and up to a rate of 0.1 it trains faster.

    Drawing a random number for each unit is most of what dropout takes. The gaps
    between those that are dropped are drawn here, which are geometric: each unit is
    dropped by itself at the same rate, others than Keras drops by the same seed. The
    layer is saved as what it is, and loaded it is Keras's.

    Reference:
        Devroye, Non-uniform random variate generation, 1986, chapter X.2
    """
    layer = keras.layers.Dropout(rate, seed=seed, name=name)
    if 0 < rate <= MOST and not tf.config.list_physical_devices("GPU"):
        # Not by Keras's own `__setattr__`: it is not part of the layer's state.
        object.__setattr__(layer, "call", MethodType(_call, layer))
    return layer


def _call(layer: keras.layers.Dropout, inputs: Any, training: bool = False) -> Any:
    if not training or inputs.dtype != tf.float32:
        return type(layer).call(layer, inputs, training=training)
    factors = _factors(tf.size(inputs), layer.rate, layer.seed_generator.next())
    return inputs * tf.reshape(factors, tf.shape(inputs))


def _factors(count: tf.Tensor, rate: float, seed: tf.Tensor) -> tf.Tensor:
    """0 for what is dropped, `1 / (1 - rate)` for the rest."""
    expected = rate * tf.cast(count, tf.float32)
    # Six standard deviations more: that they do not suffice is as good as impossible.
    drawn = tf.cast(expected + 6 * tf.sqrt(expected) + 6, tf.int32)
    numbers = 1 - tf.random.stateless_uniform(tf.stack([drawn]), seed)  # above 0
    gaps = tf.math.log(numbers) / math.log1p(-rate)
    gaps = tf.cast(tf.minimum(gaps, tf.cast(count, tf.float32)), tf.int32)
    places = tf.minimum(tf.cumsum(gaps + 1) - 1, count)  # those past the end are one
    kept = tf.fill([count + 1], 1 / (1 - rate))
    dropped = tf.tensor_scatter_nd_update(kept, places[:, None], tf.zeros([drawn]))
    return dropped[:-1]
