"""DenseNet (Huang, Liu, van der Maaten & Weinberger, 2016).

Densely connected convolutional networks, https://arxiv.org/abs/1608.06993: each
convolution sees the maps of all before it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import layers

from kerasdl._checks import check_one_of
from kerasdl._seeds import Seeds

from ._blocks import bare_conv
from ._network import Common, build_network
from ._resnet_parts import STEMS, norm, norm_relu, pooled_top, stem_stages
from ._stages import Block, Seed, Stage, begin_block, run

YEAR = 2016


class _Row(NamedTuple):
    convs: tuple[int, ...]  # of 3x3 in each dense block
    own_pixels: str  # the rule of its ImageNet weights


# Table 1 of the paper.
_ROWS = {
    "densenet121": _Row((6, 12, 24, 16), "torch"),
    "densenet169": _Row((6, 12, 32, 32), "torch"),
    "densenet201": _Row((6, 12, 48, 32), "torch"),
    "densenet_small": _Row((4, 4, 4, 4), "unit"),  # Dive into Deep Learning, 8.7
}
_GROWTH = 32  # k: maps that each 3x3 convolution adds
_COMPRESSION = 0.5  # theta: what a transition leaves of the maps
_BOTTLENECK = 4  # a 1x1 convolution makes so many times k maps


def dense_block(
    convs: int,
    growth: int = _GROWTH,
    *,
    bottleneck: bool = False,
    name: str | None = None,
    seed: Seed = None,
) -> Block:
    """3x3 convolutions, each of which adds maps to those that come in (equation 2).

    Output: `convs * growth` maps more than the input, of its height and width.

    Args:
        convs: how many.
        growth: maps that each adds.
        bottleneck: narrow the input of each to `4 * growth` maps by 1x1.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    name, seeds = begin_block("dense_block", name, seed, convs=convs, growth=growth)

    def stages(name: str) -> Iterator[Stage]:
        yield from norm_relu(f"{name}_0")
        if bottleneck:
            yield bare_conv(_BOTTLENECK * growth, 1, f"{name}_1_conv", seeds)
            yield from norm_relu(f"{name}_1")
        yield bare_conv(growth, 3, f"{name}_{1 + bottleneck}_conv", seeds)

    def function(x: Any) -> Any:
        for i in range(1, convs + 1):
            added = run(stages(f"{name}_block{i}"), x)
            x = layers.Concatenate(name=f"{name}_block{i}_concat")([x, added])
        return x

    return Block(name, function)


def transition(
    filters: int, *, name: str | None = None, seed: Seed = None
) -> keras.Sequential:
    """Fewer maps by 1x1, and 2x2 averages that halve height and width.

    Args:
        filters: maps that it leaves.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    name, seeds = begin_block("transition", name, seed, filters=filters)
    stages = [
        *norm_relu(name),
        bare_conv(filters, 1, f"{name}_conv", seeds),
        layers.AveragePooling2D(2, name=f"{name}_pool"),
    ]
    return keras.Sequential(stages, name=name)


def _densenet(
    name: str, common: Common, stem: str, bottleneck: bool = True
) -> keras.Model:
    check_one_of("stem", stem, STEMS)
    row = _ROWS[name]

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from stem_stages(stem, seeds)
        channels = 64
        for number, convs in enumerate(row.convs, start=2):
            if number > 2:
                channels = int(channels * _COMPRESSION)
                pool = f"pool{number - 1}"
                yield from transition(channels, name=pool, seed=seeds).layers
            block = f"conv{number}"
            yield dense_block(convs, bottleneck=bottleneck, name=block, seed=seeds)
            channels += convs * _GROWTH
        yield norm("bn")
        yield layers.ReLU(name="relu")

    return build_network(
        name,
        body,
        pooled_top,
        common,
        min_side=29 if stem == "imagenet" else 8,
        own_pixels=row.own_pixels,
    )


def densenet121(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    stem: str = "imagenet",
    seed: int | None = None,
) -> keras.Model:
    """DenseNet-121: 58 pairs of convolutions in four dense blocks.

    Layers bear the names of `keras.applications.DenseNet121`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 32,
    width // 32, 1024)`, or `(batch, 1024)` when pooled.
    Parameters: 8,062,504 at the defaults; 7,037,504 without the top.

    Args:
        include_top: end in a pooled classifier.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 29, or 8 with `stem="cifar"`, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`, where a dense block is a model.
        pixels: one of `PIXEL_RULES`; None is `"torch"`, the rule of its ImageNet
            weights.
        stem: `"imagenet"`, or `"cifar"` for small images: a 3x3 convolution without
            strides or pooling, and so maps of `height // 8`.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1608.06993, table 1
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _densenet("densenet121", common, stem)


def densenet169(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    stem: str = "imagenet",
    seed: int | None = None,
) -> keras.Model:
    """DenseNet-169: 82 pairs of convolutions in four dense blocks.

    Layers bear the names of `keras.applications.DenseNet169`.
    Parameters: 14,307,880 at the defaults; 12,642,880 without the top.

    Args, input and output: those of `densenet121`; 1664 maps leave the trunk.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _densenet("densenet169", common, stem)


def densenet201(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    stem: str = "imagenet",
    seed: int | None = None,
) -> keras.Model:
    """DenseNet-201: 98 pairs of convolutions in four dense blocks.

    Layers bear the names of `keras.applications.DenseNet201`.
    Parameters: 20,242,984 at the defaults; 18,321,984 without the top.

    Args, input and output: those of `densenet121`; 1920 maps leave the trunk.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _densenet("densenet201", common, stem)


def densenet_small(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (96, 96, 1),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    stem: str = "imagenet",
    bottleneck: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """DenseNet of a lesson: four dense blocks of four 3x3 convolutions.

    Without the lesson's biases, which the next normalisation would cancel. With
    `bottleneck` (DenseNet-BC), a 1x1 convolution narrows the input of each to 128 maps.
    Parameters: 763,930 at the defaults; 761,440 without the top; 988,186 with
    `bottleneck`.

    Args, input and output: those of `densenet121`; 248 maps leave the trunk, and
    `pixels=None` is `"unit"`.

    Reference:
        https://d2l.ai/chapter_convolutional-modern/densenet.html
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _densenet("densenet_small", common, stem, bottleneck)
