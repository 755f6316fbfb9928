"""Projections of attention that train by products of two matrices."""

import math
import re
from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from kerasdl._keras_internals import is_training_call
from kerasdl._layer_walks import layers_in_order

from ._own_method import own_method

# "abc,cde->abde": places, what is summed over, and what it becomes.
_EQUATION = re.compile(r"(\w+?)(\w+),\2(\w+)->\1\3")


def fast_projections(model: keras.Model) -> keras.Model:
    """Let the projections of attention train on processors as they do it faster.

    Keras has TensorFlow find the gradient of their kernels for each row of a batch, and
    add these up; all rows at once are a product of two matrices.

    `faster_steps` calls it. The numbers are those of Keras up to rounding, and the
    model stays a plain one, saved as what it is. Predicting is Keras's own.

    Layers stay as they are that are subclassed, quantized or of LoRA, and all of them
    where there is a GPU.

    Args:
        model: built; its `MultiHeadAttention`, and models inside it, are looked into.

    Returns:
        The same model.
    """
    if tf.config.list_physical_devices("GPU"):
        return model
    for layer in layers_in_order(model):
        if _is_projection(layer):
            own_method(model, layer, "call", _multiply)
    return model


def _is_projection(layer: layers.Layer) -> bool:
    return (
        type(layer) is layers.EinsumDense
        and _summed(layer) != ""
        and not layer.lora_enabled
        and layer.quantization_mode is None
    )


def _summed(layer: layers.EinsumDense) -> str:
    """The axes that are summed over; "" if it is no product of two matrices."""
    found = _EQUATION.fullmatch(layer.equation)
    return found[2] if found else ""


def _multiply(
    layer: layers.EinsumDense, inputs: tf.Tensor, training: Any = None
) -> tf.Tensor:
    if not is_training_call():
        return type(layer).call(layer, inputs, training)
    summed = _summed(layer)
    kernel = ops.convert_to_tensor(layer.kernel)
    given, made = kernel.shape[: len(summed)], kernel.shape[len(summed) :]
    rows = ops.reshape(inputs, (-1, math.prod(given)))
    products = ops.matmul(rows, ops.reshape(kernel, (math.prod(given), -1)))
    places = ops.shape(inputs)[: -len(summed)]
    outputs = ops.reshape(products, (*places, *made))
    if layer.bias is not None:
        outputs = ops.add(outputs, layer.bias)
    return outputs if layer.activation is None else layer.activation(outputs)
