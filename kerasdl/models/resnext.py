"""ResNeXt (Xie, Girshick, Dollár, Tu & He, 2016), https://arxiv.org/abs/1611.05431."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._seeds import Seeds

from ._blocks import bare_conv, conv, he_fan_out
from ._network import Common, build_network
from ._resnet_parts import (
    STEMS,
    add_to_input,
    norm,
    norm_relu,
    pooled_top,
    stage_of_blocks,
    stem_stages,
)
from ._stages import Block, Stage

YEAR = 2016

# Table 1 of the paper: residual blocks in conv2 to conv5.
_BLOCKS = (3, 4, 6, 3)
_FILTERS = 256  # that leave a block of conv2; twice as many in each next


def _block(
    filters: int, strides: int, *, cardinality: int, width: int, name: str, seeds: Seeds
) -> Block:
    """Figure 3: narrow by 1x1, transform each group of maps, widen by 1x1, add."""

    def branch() -> Iterator[Stage]:
        yield bare_conv(cardinality * width, 1, f"{name}_1_conv", seeds)
        yield from norm_relu(f"{name}_1")
        yield _grouped_conv(f"{name}_2", cardinality, width, strides, seeds)
        yield from norm_relu(f"{name}_2")
        yield bare_conv(filters, 1, f"{name}_3_conv", seeds)
        yield norm(f"{name}_3_bn")

    return add_to_input(name, filters, strides, branch, seeds)


def _grouped_conv(
    name: str, cardinality: int, width: int, strides: int, seeds: Seeds
) -> Block:
    """Make a 3x3 convolution of `width` filters for each group of maps.

    Figure 3 (b), one convolution a path. `Conv2D(groups=32)` computes the same, but on
    a processor TensorFlow has no kernel of its own for it: Keras compiles it by XLA,
    and a training step takes a hundred times as long.
    """

    def function(x: Any) -> Any:
        if strides > 1:
            x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        paths = [
            conv(
                width,
                3,
                f"{name}_conv{number}",
                seeds,
                strides=strides,
                padding="same" if strides == 1 else "valid",
                use_bias=False,
                initializer=he_fan_out,
            )(group)
            for number, group in enumerate(ops.split(x, cardinality, axis=-1), start=1)
        ]
        return layers.Concatenate(name=f"{name}_concat")(paths)

    return Block(name, function)


def _resnext50(common: Common, stem: str, cardinality: int, width: int) -> keras.Model:
    check_one_of("stem", stem, STEMS)
    check_positive_int("cardinality", cardinality)
    check_positive_int("width", width)

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from stem_stages(stem, seeds)
        for number, num_blocks in enumerate(_BLOCKS, start=2):
            factor = 2 ** (number - 2)
            halving = 1 if number > 2 else None
            make = partial(
                _block,
                _FILTERS * factor,
                cardinality=cardinality,
                width=width * factor,
                seeds=seeds,
            )
            yield stage_of_blocks(f"conv{number}", num_blocks, halving, make)

    return build_network("resnext50", body, pooled_top, common, min_side=1)


def resnext50(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    stem: str = "imagenet",
    cardinality: int = 32,
    width: int = 4,
    seed: int | None = None,
) -> keras.Model:
    """ResNeXt-50 (32x4d): sixteen bottleneck blocks of 32 paths each.

    Parameters: 25,097,128 at the defaults; 23,048,128 without the top.

    Args, input and output: those of `resnet18`, 2048 maps leave the trunk; and

        cardinality: paths of a block; C in the paper.
        width: filters of each path in conv2, twice as many in each next; d in the
            paper, whose table 2 gives 40, 24 and 14 to cardinality 2, 4 and 8.

    Reference:
        https://arxiv.org/abs/1611.05431, table 1
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnext50(common, stem, cardinality, width)
