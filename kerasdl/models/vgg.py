"""VGG (Simonyan & Zisserman, 2014), https://arxiv.org/abs/1409.1556."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import keras
from keras import layers

from kerasdl._checks import check_positive_int
from kerasdl._seeds import Seeds

from ._blocks import check_ratio, conv, dense, dense_softmax
from ._network import Common, build_network
from ._stages import Seed, Stage, begin_block

YEAR = 2014


class _Row(NamedTuple):
    convs: tuple[int, ...]  # of 3x3 in each of the five stages
    own_pixels: str  # the rule of its ImageNet weights


# Table 1 of the paper.
_ROWS = {
    "vgg11": _Row((1, 1, 2, 2, 2), "unit"),  # column A
    "vgg13": _Row((2, 2, 2, 2, 2), "unit"),  # column B
    "vgg16": _Row((2, 2, 3, 3, 3), "caffe"),  # column D
    "vgg19": _Row((2, 2, 4, 4, 4), "caffe"),  # column E
}
_FILTERS = (64, 128, 256, 512, 512)
_UNITS = 4096  # of the two dense layers before the last


def vgg_block(
    convs: int, filters: int, *, name: str | None = None, seed: Seed = None
) -> keras.Sequential:
    """3x3 convolutions with ReLU, and 2x2 maxima that halve height and width.

    Args:
        convs: how many.
        filters: of each.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    name, seeds = begin_block("vgg_block", name, seed, convs=convs, filters=filters)
    block = keras.Sequential(name=name)
    for i in range(1, convs + 1):
        block.add(conv(filters, 3, f"{name}_conv{i}", seeds, activation="relu"))
    block.add(layers.MaxPooling2D(2, name=f"{name}_pool"))
    return block


def _vgg(name: str, common: Common, ratio: int, units: int) -> keras.Model:
    check_ratio(ratio, _FILTERS)
    check_positive_int("units", units)
    row = _ROWS[name]

    def body(seeds: Seeds) -> Iterator[Stage]:
        stages = zip(row.convs, _FILTERS, strict=True)
        for number, (convs, filters) in enumerate(stages, start=1):
            block = f"block{number}"
            yield from vgg_block(convs, filters // ratio, name=block, seed=seeds).layers

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.Flatten(name="flatten")
        for number in (1, 2):
            yield dense(units, f"fc{number}", seeds, activation="relu")
            yield layers.Dropout(0.5, seed=seeds(), name=f"dropout{number}")
        yield dense_softmax(classes, seeds)

    return build_network(
        name,
        body,
        top,
        common,
        min_side=32,
        own_pixels=row.own_pixels,
        fixed_top=True,
    )


def vgg11(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    ratio: int = 1,
    units: int = _UNITS,
    seed: int | None = None,
) -> keras.Model:
    """VGG-11: eight 3x3 convolutions and three dense layers.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 32,
    width // 32, 512)`, or `(batch, 512)` when pooled.
    Parameters: 132,863,336 at the defaults; 9,220,480 without the top.

    Args:
        include_top: end in the dense layers, with Dropout(0.5).
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 32; None works without the top.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        ratio: divides the filters of every convolution; Dive into Deep Learning takes
            4 for Fashion-MNIST.
        units: of the two dense layers before the last.
        seed: of initial weights and dropout. They are Glorot's, from which the paper
            found that the network trains.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1409.1556, table 1, column A
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _vgg("vgg11", common, ratio, units)


def vgg13(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    ratio: int = 1,
    units: int = _UNITS,
    seed: int | None = None,
) -> keras.Model:
    """VGG-13: ten 3x3 convolutions and three dense layers (column B).

    Parameters: 133,047,848 at the defaults; 9,404,992 without the top.

    Args, input and output: those of `vgg11`.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _vgg("vgg13", common, ratio, units)


def vgg16(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    ratio: int = 1,
    units: int = _UNITS,
    seed: int | None = None,
) -> keras.Model:
    """VGG-16: thirteen 3x3 convolutions and three dense layers (column D).

    Parameters: 138,357,544 at the defaults; 14,714,688 without the top.

    Args, input and output: those of `vgg11`; `pixels=None` is `"caffe"`, as its
    ImageNet weights need.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _vgg("vgg16", common, ratio, units)


def vgg19(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    ratio: int = 1,
    units: int = _UNITS,
    seed: int | None = None,
) -> keras.Model:
    """VGG-19: sixteen 3x3 convolutions and three dense layers (column E).

    Parameters: 143,667,240 at the defaults; 20,024,384 without the top.

    Args, input and output: those of `vgg11`; `pixels=None` is `"caffe"`, as its
    ImageNet weights need.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _vgg("vgg19", common, ratio, units)
