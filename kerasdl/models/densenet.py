"""DenseNet (Huang, Liu, van der Maaten & Weinberger, 2016).

Densely connected convolutional networks, https://arxiv.org/abs/1608.06993: each
convolution sees the maps of all before it.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import layers

from kerasdl._checks import check_one_of

from ._blocks import Block, Seeds, Stage, bare_conv, run
from ._network import build_network
from ._resnet_parts import STEMS, norm, norm_relu, pooled_top, stem_stages

# Table 1 of the paper: pairs of a 1x1 and a 3x3 convolution in each dense block.
_BLOCKS = {
    "densenet121": (6, 12, 24, 16),
    "densenet169": (6, 12, 32, 32),
    "densenet201": (6, 12, 48, 32),
    "densenet_small": (4, 4, 4, 4),  # Dive into Deep Learning, section 8.7
}
_GROWTH = 32  # k: maps that each pair adds
_COMPRESSION = 0.5  # theta: what a transition leaves of the maps
_BOTTLENECK = 4  # a 1x1 convolution makes so many times k maps


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
    return _densenet(
        "densenet121",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
        own_pixels="torch",
    )


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
    Arguments and errors are those of `densenet121`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 32,
    width // 32, 1664)`, or `(batch, 1664)` when pooled.
    Parameters: 14,307,880 at the defaults; 12,642,880 without the top.

    Reference:
        https://arxiv.org/abs/1608.06993, table 1
    """
    return _densenet(
        "densenet169",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
        own_pixels="torch",
    )


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
    Arguments and errors are those of `densenet121`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 32,
    width // 32, 1920)`, or `(batch, 1920)` when pooled.
    Parameters: 20,242,984 at the defaults; 18,321,984 without the top.

    Reference:
        https://arxiv.org/abs/1608.06993, table 1
    """
    return _densenet(
        "densenet201",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
        own_pixels="torch",
    )


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
    Other arguments and errors are those of `densenet121`; `pixels=None` is `"unit"`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 32,
    width // 32, 248)`, or `(batch, 248)` when pooled.
    Parameters: 763,930 at the defaults; 761,440 without the top; 988,186 with
    `bottleneck`.

    Reference:
        https://d2l.ai/chapter_convolutional-modern/densenet.html
    """
    return _densenet(
        "densenet_small",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
        bottleneck=bottleneck,
    )


def _densenet(
    name: str,
    include_top: bool,
    weights: str | Path | None,
    input_shape: tuple[int | None, int | None, int],
    pooling: str | None,
    classes: int,
    build: str,
    pixels: str | None,
    stem: str,
    seed: int | None,
    own_pixels: str = "unit",
    bottleneck: bool = True,
) -> keras.Model:
    check_one_of("stem", stem, STEMS)

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from stem_stages(stem, seeds)
        channels = 64
        for number, num_pairs in enumerate(_BLOCKS[name], start=2):
            if number > 2:
                channels = int(channels * _COMPRESSION)
                yield from _transition(channels, f"pool{number - 1}", seeds)
            pairs = [
                _pair(f"conv{number}_block{i}", bottleneck, seeds)
                for i in range(1, num_pairs + 1)
            ]
            yield Block(f"conv{number}", partial(run, pairs))
            channels += num_pairs * _GROWTH
        yield norm("bn")
        yield layers.ReLU(name="relu")

    return build_network(
        name,
        body,
        pooled_top,
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build=build,
        pixels=pixels,
        seed=seed,
        min_side=29 if stem == "imagenet" else 8,
        own_pixels=own_pixels,
    )


def _pair(name: str, bottleneck: bool, seeds: Seeds) -> Block:
    """Equation 2: add `_GROWTH` maps to those that come in."""

    def stages() -> Iterator[Stage]:
        yield from norm_relu(f"{name}_0")
        if bottleneck:
            yield bare_conv(_BOTTLENECK * _GROWTH, 1, f"{name}_1_conv", seeds)
            yield from norm_relu(f"{name}_1")
            yield bare_conv(_GROWTH, 3, f"{name}_2_conv", seeds)
        else:
            yield bare_conv(_GROWTH, 3, f"{name}_1_conv", seeds)

    def function(x: Any) -> Any:
        return layers.Concatenate(name=f"{name}_concat")([x, run(stages(), x)])

    return Block(name, function)


def _transition(filters: int, name: str, seeds: Seeds) -> Iterator[Stage]:
    """Fewer maps by 1x1, and a quarter of the pixels."""
    yield from norm_relu(name)
    yield bare_conv(filters, 1, f"{name}_conv", seeds)
    yield layers.AveragePooling2D(2, name=f"{name}_pool")
