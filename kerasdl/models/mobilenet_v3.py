"""MobileNetV3 (Howard et al., 2019), https://arxiv.org/abs/1905.02244."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import bare_conv, check_alpha, conv, divisible_by_8, softmax
from ._network import Common, build_network
from ._stages import Stage
from .heads import check_dropout
from .mobilenet_v2 import inverted_residual

YEAR = 2019


class _Row(NamedTuple):
    kernel: int
    expand: int  # "exp size": channels between the two 1x1 convolutions
    filters: int  # "#out"
    squeeze: bool  # "SE": squeeze and excitation
    activation: str  # "NL": RE is ReLU, HS hard swish
    strides: int


_RE, _HS = "relu", "hard_swish"
# Table 1 of the paper, the bottlenecks.
_LARGE = (
    _Row(3, 16, 16, False, _RE, 1),
    _Row(3, 64, 24, False, _RE, 2),
    _Row(3, 72, 24, False, _RE, 1),
    _Row(5, 72, 40, True, _RE, 2),
    _Row(5, 120, 40, True, _RE, 1),
    _Row(5, 120, 40, True, _RE, 1),
    _Row(3, 240, 80, False, _HS, 2),
    _Row(3, 200, 80, False, _HS, 1),
    _Row(3, 184, 80, False, _HS, 1),
    _Row(3, 184, 80, False, _HS, 1),
    _Row(3, 480, 112, True, _HS, 1),
    _Row(3, 672, 112, True, _HS, 1),
    _Row(5, 672, 160, True, _HS, 2),
    _Row(5, 960, 160, True, _HS, 1),
    _Row(5, 960, 160, True, _HS, 1),
)
# Table 2.
_SMALL = (
    _Row(3, 16, 16, True, _RE, 2),
    _Row(3, 72, 24, False, _RE, 2),
    _Row(3, 88, 24, False, _RE, 1),
    _Row(5, 96, 40, True, _HS, 2),
    _Row(5, 240, 40, True, _HS, 1),
    _Row(5, 240, 40, True, _HS, 1),
    _Row(5, 120, 48, True, _HS, 1),
    _Row(5, 144, 48, True, _HS, 1),
    _Row(5, 288, 96, True, _HS, 2),
    _Row(5, 576, 96, True, _HS, 1),
    _Row(5, 576, 96, True, _HS, 1),
)
_STEM_FILTERS = 16
# bottlenecks, filters of the last convolution but one
_NETWORKS = {
    "mobilenet_v3_large": (_LARGE, 1280),
    "mobilenet_v3_small": (_SMALL, 1024),
}


def _mobilenet_v3(
    name: str, common: Common, alpha: float, dropout: float
) -> keras.Model:
    check_alpha(alpha)
    check_dropout(dropout)
    rows, last_filters = _NETWORKS[name]

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield bare_conv(_STEM_FILTERS, 3, "conv", seeds, strides=2)
        # Section 6.1 of the paper: "average decay of 0.99", which is Keras's default.
        yield layers.BatchNormalization(name="conv_bn")
        yield layers.Activation(_HS, name="conv_activation")
        channels = _STEM_FILTERS  # of the table, where nothing is multiplied by alpha
        for number, row in enumerate(rows):
            yield inverted_residual(
                divisible_by_8(row.filters * alpha),
                row.expand / channels,
                row.strides,
                kernel_size=row.kernel,
                activation=row.activation,
                squeeze=row.squeeze,
                name=f"expanded_conv_{number}" if number else "expanded_conv",
                seed=seeds,
            )
            channels = row.filters
        last = divisible_by_8(6 * divisible_by_8(channels * alpha))
        yield bare_conv(last, 1, "conv_1", seeds)
        yield layers.BatchNormalization(name="conv_1_bn")
        yield layers.Activation(_HS, name="conv_1_activation")

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        last = divisible_by_8(last_filters * max(alpha, 1.0))
        yield layers.GlobalAveragePooling2D(keepdims=True, name="avg_pool")
        yield conv(last, 1, "conv_2", seeds, activation=_HS)
        yield layers.Dropout(dropout, seed=seeds(), name="dropout")
        yield conv(classes, 1, "logits", seeds)
        yield layers.Flatten(name="flatten")
        yield softmax()

    return build_network(name, body, top, common, min_side=1, own_pixels="tf")


def mobilenet_v3_large(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    alpha: float = 1.0,
    dropout: float = 0.2,
    seed: int | None = None,
) -> keras.Model:
    """MobileNetV3-Large: fifteen bottlenecks, eight with squeeze and excitation.

    Layers bear the names of `keras.applications.MobileNetV3Large`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 960)`, rounded up, or `(batch, 960)` when pooled.
    Parameters: 5,507,432 at the defaults; 2,996,352 without the top.

    Args:
        include_top: end in a pooled classifier.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: any height and width, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`, where a bottleneck is a model.
        pixels: one of `PIXEL_RULES`; None is `"tf"`, the rule of its ImageNet weights.
        alpha: width multiplier of all bottlenecks; above 1 also of the last
            convolution but one.
        dropout: fraction in [0, 1) before the last layer.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1905.02244, table 1
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _mobilenet_v3("mobilenet_v3_large", common, alpha, dropout)


def mobilenet_v3_small(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    alpha: float = 1.0,
    dropout: float = 0.2,
    seed: int | None = None,
) -> keras.Model:
    """MobileNetV3-Small: eleven bottlenecks, nine with squeeze and excitation.

    Layers bear the names of `keras.applications.MobileNetV3Small`.
    Parameters: 2,554,968 at the defaults; 939,120 without the top.

    Args, input and output: those of `mobilenet_v3_large`; 576 maps leave the trunk.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _mobilenet_v3("mobilenet_v3_small", common, alpha, dropout)
