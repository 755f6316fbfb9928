"""MobileNetV2 (Sandler et al., 2018), https://arxiv.org/abs/1801.04381."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import layers

from ._blocks import (
    Block,
    Seeds,
    Stage,
    bare_conv,
    check_alpha,
    dense_softmax,
    depthwise,
    divisible_by_8,
    run,
)
from ._network import build_network


class _Row(NamedTuple):
    expand: int  # t: times as many channels between the two 1x1 convolutions
    filters: int  # c
    repeats: int  # n
    strides: int  # s, of the first block


# Table 2 of the paper, the bottlenecks.
_ROWS = (
    _Row(expand=1, filters=16, repeats=1, strides=1),
    _Row(expand=6, filters=24, repeats=2, strides=2),
    _Row(expand=6, filters=32, repeats=3, strides=2),
    _Row(expand=6, filters=64, repeats=4, strides=2),
    _Row(expand=6, filters=96, repeats=3, strides=1),
    _Row(expand=6, filters=160, repeats=3, strides=2),
    _Row(expand=6, filters=320, repeats=1, strides=1),
)
_STEM_FILTERS, _LAST_FILTERS = 32, 1280


def mobilenet_v2(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    alpha: float = 1.0,
    seed: int | None = None,
) -> keras.Model:
    """MobileNetV2: seventeen inverted residual blocks with linear bottlenecks.

    Layers bear the names of `keras.applications.MobileNetV2`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 1280)`, rounded up, or `(batch, 1280)` when pooled.
    Parameters: 3,538,984 at the defaults; 2,257,984 without the top.

    Args:
        include_top: end in a pooled classifier.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: any height and width, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`, where a bottleneck is a model.
        pixels: one of `PIXEL_RULES`; None is `"tf"`, the rule of its ImageNet weights.
        alpha: width multiplier of all layers; below 1 not of the last convolution.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1801.04381, table 2
    """
    check_alpha(alpha)

    def body(seeds: Seeds) -> Iterator[Stage]:
        filters = divisible_by_8(_STEM_FILTERS * alpha)
        yield bare_conv(filters, 3, "Conv1", seeds, strides=2)
        yield _normalisation("bn_Conv1")
        yield layers.ReLU(6.0, name="Conv1_relu")
        number = 0
        for row in _ROWS:
            filters = divisible_by_8(int(row.filters * alpha))
            for repeat in range(row.repeats):
                strides = row.strides if repeat == 0 else 1
                yield _bottleneck(number, row.expand, filters, strides, seeds)
                number += 1
        last = divisible_by_8(_LAST_FILTERS * max(alpha, 1.0))
        yield bare_conv(last, 1, "Conv_1", seeds)
        yield _normalisation("Conv_1_bn")
        yield layers.ReLU(6.0, name="out_relu")

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.GlobalAveragePooling2D(name="avg_pool")
        yield dense_softmax(classes, seeds)

    return build_network(
        "mobilenet_v2",
        body,
        top,
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build=build,
        pixels=pixels,
        seed=seed,
        min_side=1,
        own_pixels="tf",
    )


def _bottleneck(
    number: int, expand: int, filters: int, strides: int, seeds: Seeds
) -> Block:
    """Table 1: widen by 1x1, filter each channel, project by 1x1 without ReLU6.

    The input is added where it has the shape of the output.
    """
    name = f"block_{number}" if number else "expanded_conv"

    def stages(channels: int) -> Iterator[Stage]:
        if number:
            yield bare_conv(channels * expand, 1, f"{name}_expand", seeds)
            yield _normalisation(f"{name}_expand_BN")
            yield layers.ReLU(6.0, name=f"{name}_expand_relu")
        yield depthwise(3, f"{name}_depthwise", seeds, strides=strides)
        yield _normalisation(f"{name}_depthwise_BN")
        yield layers.ReLU(6.0, name=f"{name}_depthwise_relu")
        yield bare_conv(filters, 1, f"{name}_project", seeds)
        yield _normalisation(f"{name}_project_BN")

    def function(x: Any) -> Any:
        channels = x.shape[-1]
        projected = run(stages(channels), x)
        if strides == 1 and channels == filters:
            return layers.Add(name=f"{name}_add")([x, projected])
        return projected

    return Block(name, function)


def _normalisation(name: str) -> layers.BatchNormalization:
    return layers.BatchNormalization(epsilon=1e-3, name=name)
