"""Convolutions that train by what computes their gradients faster on processors."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from kerasdl._keras_internals import is_training_call
from kerasdl._layer_walks import layers_in_order

from ._own_method import own_method

# Columns of a depthwise filter whose gradient oneDNN (3.7) finds channel by channel:
# that of a wider one it finds in blocks of 16 by 16 channels, to take the diagonal.
_WIDEST = 3


def fast_convolutions(model: keras.Model) -> keras.Model:
    """Let convolutions of `model` train on processors as they do it faster.

    Those of 1x1 are a product of matrices then, and the gradients of depthwise filters
    that are wider than 3 are not left to oneDNN.

    `faster_steps` calls it. The numbers are those of Keras up to rounding, and the
    model stays a plain one, saved as what it is. Predicting is Keras's own.

    Layers stay as they are that compute in another type than float32, dilated, grouped
    and subclassed ones, 1x1 with strides, depthwise ones with a bias, an activation or
    several filters a channel, and all of them where there is a GPU.

    Args:
        model: built; models inside it are looked into.

    Returns:
        The same model.
    """
    if tf.config.list_physical_devices("GPU"):
        return model
    for layer in layers_in_order(model):
        if _is_pointwise(layer):
            own_method(model, layer, "convolution_op", _multiply)
        elif _is_wide_depthwise(layer):
            own_method(model, layer, "call", _filter_channels)
    return model


def _is_plain(layer: layers.Layer, kind: type[layers.Layer]) -> bool:
    return (
        type(layer) is kind
        and layer.data_format == "channels_last"
        and layer.dilation_rate == (1, 1)
        and layer.compute_dtype == "float32"
    )


def _is_pointwise(layer: layers.Layer) -> bool:
    return (
        _is_plain(layer, layers.Conv2D)
        and layer.kernel_size == layer.strides == (1, 1)
        and layer.groups == 1
    )


def _is_wide_depthwise(layer: layers.Layer) -> bool:
    return (
        _is_plain(layer, layers.DepthwiseConv2D)
        and layer.kernel_size[1] > _WIDEST
        and layer.strides[0] == layer.strides[1]
        and layer.depth_multiplier == 1
        and not layer.use_bias
        and layer.activation is keras.activations.linear
    )


def _multiply(layer: layers.Conv2D, inputs: tf.Tensor, kernel: Any) -> tf.Tensor:
    if not is_training_call():
        return type(layer).convolution_op(layer, inputs, kernel)
    channels, filters = kernel.shape[2:]
    rows = ops.reshape(inputs, (-1, channels))
    products = ops.matmul(rows, ops.reshape(kernel, (channels, filters)))
    return ops.reshape(products, (*ops.shape(inputs)[:3], filters))


def _filter_channels(layer: layers.DepthwiseConv2D, inputs: tf.Tensor) -> tf.Tensor:
    if not is_training_call() or None in inputs.shape[1:3]:
        return type(layer).call(layer, inputs)
    strides, padding = [1, *layer.strides, 1], layer.padding.upper()

    @tf.custom_gradient
    def convolve(x: tf.Tensor, kernel: tf.Tensor) -> Any:  # with its gradients
        y = tf.nn.depthwise_conv2d(x, kernel, strides, padding)

        def gradients(dy: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            of_both = {"out_backprop": dy, "strides": strides}
            dx = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=tf.shape(x), filter=kernel, padding=padding, **of_both
            )
            # oneDNN takes no explicit padding: TensorFlow's own kernel has it.
            d_kernel = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=x,
                filter_sizes=kernel.shape,
                padding="EXPLICIT",
                explicit_paddings=[0, 0, *_paddings(layer, x, y), 0, 0],
                **of_both,
            )
            return dx, d_kernel

        return y, gradients

    return convolve(inputs, tf.convert_to_tensor(layer.kernel))


def _paddings(layer: layers.DepthwiseConv2D, x: tf.Tensor, y: tf.Tensor) -> list[int]:
    """Rows above and below, columns left and right that `layer` adds to `x`."""
    paddings = []
    for before, after, stride, size in zip(
        _known_sides(x),
        _known_sides(y),
        layer.strides,
        layer.kernel_size,
        strict=True,
    ):
        missing = max(0, (after - 1) * stride + size - before)
        paddings += [missing // 2, missing - missing // 2]
    return paddings


def _known_sides(x: tf.Tensor) -> list[int]:
    """Rows and columns of pictures, where they are known before they are run."""
    return [side for side in x.shape[1:3] if side is not None]
