"""BatchNorm that trains by one operation of TensorFlow; Keras 3 takes a dozen."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from kerasdl._layer_walks import layers_in_order

from ._own_method import own_method

_DTYPES = ("float32", "bfloat16", "float16")
_LEAST_EPSILON = 1.001e-5  # of cuDNN


def fused_batch_norm(model: keras.Model) -> keras.Model:
    """Let the BatchNormalization layers of `model` train by TensorFlow's fused kernel.

    `faster_steps` calls it. The numbers are those of Keras up to rounding, and the
    model stays a plain one, saved as what it is. Predicting is Keras's own.

    Layers that the kernel does not suit stay as they are: those on other inputs than
    `(batch, height, width, channels)`, masked, with `synchronized` or `renorm`, with
    weights of another type than float32, an epsilon below 1.001e-5, and subclasses.

    Args:
        model: built; models inside it are looked into.

    Returns:
        The same model.
    """
    for layer in layers_in_order(model):
        if _is_suited(layer):
            own_method(model, layer, "call", _call)
    return model


def _is_suited(layer: keras.Layer) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and not (layer.synchronized or layer.renorm)
        and layer.axis in (-1, 3)
        and layer.epsilon >= _LEAST_EPSILON
        and layer.compute_dtype in _DTYPES
        and layer.variable_dtype == "float32"
    )


def _call(
    layer: keras.layers.BatchNormalization,
    inputs: tf.Tensor,
    training: bool | None = None,
    mask: Any = None,
) -> tf.Tensor:
    suits = layer.trainable and mask is None and len(inputs.shape) == 4
    if not (training and suits):
        return type(layer).call(layer, inputs, training=training, mask=mask)
    sizes = inputs.shape[-1:]
    scale = layer.gamma.value if layer.scale else tf.ones(sizes)
    shift = layer.beta.value if layer.center else tf.zeros(sizes)
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=ops.cast(inputs, layer.compute_dtype),
        scale=scale,
        offset=shift,
        mean=tf.zeros(0),  # of what is predicted, not trained
        variance=tf.zeros(0),
        epsilon=layer.epsilon,
        is_training=True,
    )
    # It gives the sample's unbiased variance; Keras keeps the biased one.
    count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
    variance *= (count - 1) / count
    for moving, value in (
        (layer.moving_mean, mean),
        (layer.moving_variance, variance),
    ):
        moving.assign(moving * layer.momentum + value * (1 - layer.momentum))
    return outputs
