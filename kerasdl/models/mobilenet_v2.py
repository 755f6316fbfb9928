"""MobileNetV2 (Sandler et al., 2018), https://arxiv.org/abs/1801.04381."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import (
    activation_layer,
    bare_conv,
    check_alpha,
    depthwise,
    divisible_by_8,
)
from ._network import Common, build_network
from ._resnet_parts import pooled_top
from ._stages import Block, Seed, Stage, begin_block, run
from .squeeze_excitation import squeeze_excitation

YEAR = 2018


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
# What keras.applications calls the parts of a block, where the name is not our own.
_NAMES = {
    "expand_bn": "expand_BN",
    "expand_activation": "expand_relu",
    "depthwise_bn": "depthwise_BN",
    "depthwise_activation": "depthwise_relu",
    "project_bn": "project_BN",
}


def inverted_residual(
    filters: int,
    expand: float = 6,
    strides: int = 1,
    *,
    kernel_size: int = 3,
    activation: str = "relu6",
    squeeze: bool = False,
    names: Mapping[str, str] | None = None,
    name: str | None = None,
    seed: Seed = None,
) -> Block:
    """Widen by 1x1, filter each channel, project by 1x1 without activation (table 1).

    Output: `filters` maps, height and width divided by `strides`, rounded up. The input
    is added where it has this shape.

    Args:
        filters: of the projection.
        expand: times as many channels between the two 1x1 convolutions, rounded to a
            multiple of 8 as in the paper's code; 1 leaves the first of them out.
        strides: of the filter of each channel.
        kernel_size: of that filter.
        activation: after all convolutions but the projection.
        squeeze: weigh the channels before the projection (see `squeeze_excitation`), as
            in MobileNetV3.
        names: part -> another name for it, such as `"expand_bn"`.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    if isinstance(expand, bool) or not isinstance(expand, (int, float)) or expand < 1:
        raise ValueError(
            f"`expand` must be a number of at least 1. Received: expand={expand!r}"
        )
    sizes = {"filters": filters, "strides": strides, "kernel_size": kernel_size}
    name, seeds = begin_block("inverted_residual", name, seed, **sizes)

    def named(part: str) -> str:
        return f"{name}_{(names or {}).get(part, part)}"

    def norm(part: str) -> layers.Layer:
        return layers.BatchNormalization(name=named(f"{part}_bn"))

    def activate(part: str) -> layers.Layer:
        return activation_layer(activation, named(f"{part}_activation"))

    def stages(channels: int) -> Iterator[Stage]:
        if expand != 1:
            wide = divisible_by_8(channels * expand)
            yield bare_conv(wide, 1, named("expand"), seeds)
            yield norm("expand")
            yield activate("expand")
        yield depthwise(kernel_size, named("depthwise"), seeds, strides=strides)
        yield norm("depthwise")
        yield activate("depthwise")
        if squeeze:
            yield squeeze_excitation(
                activation="hard_sigmoid", name=named("squeeze_excite"), seed=seeds
            )
        yield bare_conv(filters, 1, named("project"), seeds)
        yield norm("project")

    def function(x: Any) -> Any:
        projected = run(stages(x.shape[-1]), x)
        if strides == 1 and x.shape[-1] == filters:
            return layers.Add(name=named("add"))([x, projected])
        return projected

    return Block(name, function)


def _mobilenet_v2(common: Common, alpha: float) -> keras.Model:
    check_alpha(alpha)

    def body(seeds: Seeds) -> Iterator[Stage]:
        filters = divisible_by_8(_STEM_FILTERS * alpha)
        yield bare_conv(filters, 3, "Conv1", seeds, strides=2)
        yield layers.BatchNormalization(name="bn_Conv1")
        yield layers.ReLU(6.0, name="Conv1_relu")
        number = 0
        for row in _ROWS:
            filters = divisible_by_8(int(row.filters * alpha))
            for repeat in range(row.repeats):
                yield inverted_residual(
                    filters,
                    row.expand,
                    row.strides if repeat == 0 else 1,
                    names=_NAMES,
                    name=f"block_{number}" if number else "expanded_conv",
                    seed=seeds,
                )
                number += 1
        last = divisible_by_8(_LAST_FILTERS * max(alpha, 1.0))
        yield bare_conv(last, 1, "Conv_1", seeds)
        yield layers.BatchNormalization(name="Conv_1_bn")
        yield layers.ReLU(6.0, name="out_relu")

    return build_network(
        "mobilenet_v2", body, pooled_top, common, min_side=1, own_pixels="tf"
    )


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
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _mobilenet_v2(common, alpha)
