"""MobileNet (Howard et al., 2017), https://arxiv.org/abs/1704.04861."""

from collections.abc import Iterator
from pathlib import Path

import keras
from keras import layers

from kerasdl._checks import check_one_of
from kerasdl._seeds import Seeds

from ._blocks import bare_conv, check_alpha, conv, depthwise, softmax
from ._network import Common, build_network
from ._stages import Seed, Stage, begin_block
from .heads import check_dropout

YEAR = 2017

# Table 1 of the paper: a 3x3 convolution, then a filter for each channel ("dw") and a
# 1x1 convolution, thirteen times.
_STEM_FILTERS = 32
# filters of the 1x1 convolution, strides of the filter before it
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)


def depthwise_separable(
    filters: int,
    strides: int = 1,
    *,
    padding: str = "same",
    names: tuple[str, str] | None = None,
    name: str | None = None,
    seed: Seed = None,
) -> keras.Sequential:
    """A filter for each channel, then a 1x1 convolution (figure 3 of the paper).

    Output: `filters` maps, height and width divided by `strides`, rounded up.

    Args:
        filters: of the 1x1 convolution.
        strides: of the 3x3 filter of each channel.
        padding: of that filter, `"same"` or `"valid"`.
        names: of the two convolutions; None is `<name>_depthwise`, `<name>_pointwise`.
        name: of the block.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    check_one_of("padding", padding, ("same", "valid"))
    name, seeds = begin_block(
        "depthwise_separable", name, seed, filters=filters, strides=strides
    )
    first, second = names or (f"{name}_depthwise", f"{name}_pointwise")
    stages = [
        depthwise(3, first, seeds, strides=strides, padding=padding),
        *norm_relu6(first),
        bare_conv(filters, 1, second, seeds),
        *norm_relu6(second),
    ]
    return keras.Sequential(stages, name=name)


def norm_relu6(name: str) -> Iterator[Stage]:
    """BatchNorm and ReLU6, as they follow every convolution."""
    yield layers.BatchNormalization(name=f"{name}_bn")
    yield layers.ReLU(6.0, name=f"{name}_relu")


def _mobilenet_v1(common: Common, alpha: float, dropout: float) -> keras.Model:
    check_alpha(alpha)
    check_dropout(dropout)

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield bare_conv(int(_STEM_FILTERS * alpha), 3, "conv1", seeds, strides=2)
        yield from norm_relu6("conv1")
        for number, (filters, strides) in enumerate(BLOCKS, start=1):
            padding = "same"
            if strides == 2:  # on these sides only, as Keras pads, whatever the size
                pad = ((0, 1), (0, 1))
                yield layers.ZeroPadding2D(pad, name=f"conv_pad_{number}")
                padding = "valid"
            yield from depthwise_separable(
                int(filters * alpha),
                strides,
                padding=padding,
                names=(f"conv_dw_{number}", f"conv_pw_{number}"),
                seed=seeds,
            ).layers

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.GlobalAveragePooling2D(keepdims=True, name="avg_pool")
        yield layers.Dropout(dropout, seed=seeds(), name="dropout")
        yield conv(classes, 1, "conv_preds", seeds)
        yield layers.Flatten(name="flatten")
        yield softmax()

    return build_network(
        "mobilenet_v1", body, top, common, min_side=31, own_pixels="tf"
    )


def mobilenet_v1(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    alpha: float = 1.0,
    dropout: float = 1e-3,
    seed: int | None = None,
) -> keras.Model:
    """MobileNet V1: a convolution and thirteen depthwise separable ones.

    Layers bear the names of `keras.applications.MobileNet`, and it computes the same.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, (height + 1) //
    32, (width + 1) // 32, 1024)`, or `(batch, 1024)` when pooled.
    Parameters: 4,253,864 at the defaults; 3,228,864 without the top.

    Args:
        include_top: end in a pooled classifier.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 31, or None; the paper's resolution
            multiplier.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"tf"`, the rule of its ImageNet weights.
        alpha: width multiplier of all layers.
        dropout: fraction in [0, 1) before the last layer.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1704.04861, table 1
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _mobilenet_v1(common, alpha, dropout)
