"""ResNet (He, Zhang, Ren & Sun, 2015), https://arxiv.org/abs/1512.03385."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras

from kerasdl._checks import check_one_of
from kerasdl._seeds import Seeds

from ._network import Common, build_network
from ._resnet_parts import (
    STEMS,
    add_to_input,
    he_conv,
    norm,
    norm_relu,
    pooled_top,
    stage_of_blocks,
    stem_stages,
)
from ._stages import Block, Seed, Stage, begin_block

YEAR = 2015


class Row(NamedTuple):
    """One network, a column of table 1 of the paper."""

    blocks: tuple[int, ...]  # in conv2_x to conv5_x
    is_basic: bool  # of two 3x3 convolutions; else bottlenecks
    own_pixels: str  # the rule of its ImageNet weights


ROWS = {
    "resnet18": Row((2, 2, 2, 2), is_basic=True, own_pixels="unit"),
    "resnet34": Row((3, 4, 6, 3), is_basic=True, own_pixels="unit"),
    "resnet50": Row((3, 4, 6, 3), is_basic=False, own_pixels="caffe"),
    "resnet101": Row((3, 4, 23, 3), is_basic=False, own_pixels="caffe"),
    "resnet152": Row((3, 8, 36, 3), is_basic=False, own_pixels="caffe"),
}
FILTERS = (64, 128, 256, 512)  # of the 3x3 convolutions


def residual(
    filters: int,
    strides: int = 1,
    *,
    projection: bool | None = None,
    name: str | None = None,
    seed: Seed = None,
) -> Block:
    """Two 3x3 convolutions, to which the input is added (figure 5, left).

    Output: `filters` maps, height and width divided by `strides`, rounded up.

    Args:
        filters: of both convolutions.
        strides: of the first.
        projection: send the input through a 1x1 convolution before it is added; None
            does where its shape changes.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    name, seeds = begin_block("residual", name, seed, filters=filters, strides=strides)

    def branch() -> Iterator[Stage]:
        yield from he_conv(filters, 3, f"{name}_1", seeds, strides=strides)
        yield from norm_relu(f"{name}_1")
        yield from he_conv(filters, 3, f"{name}_2", seeds)
        yield norm(f"{name}_2_bn")

    return add_to_input(name, filters, strides, branch, seeds, projection=projection)


def bottleneck(
    filters: int,
    strides: int = 1,
    *,
    projection: bool | None = None,
    use_bias: bool = False,
    name: str | None = None,
    seed: Seed = None,
) -> Block:
    """1x1 to narrow, 3x3, and 1x1 to widen; the input is added (figure 5, right).

    Output: `4 * filters` maps, height and width divided by `strides`, rounded up.

    Args: those of `residual`, and

        use_bias: of the convolutions: the ImageNet weights have some, though each
            normalisation cancels them.
    """
    name, seeds = begin_block(
        "bottleneck", name, seed, filters=filters, strides=strides
    )
    conv = partial(he_conv, seeds=seeds, use_bias=use_bias)

    def branch() -> Iterator[Stage]:
        yield from conv(filters, 1, f"{name}_1", strides=strides)
        yield from norm_relu(f"{name}_1")
        yield from conv(filters, 3, f"{name}_2")
        yield from norm_relu(f"{name}_2")
        yield from conv(4 * filters, 1, f"{name}_3")
        yield norm(f"{name}_3_bn")

    return add_to_input(
        name,
        4 * filters,
        strides,
        branch,
        seeds,
        projection=projection,
        use_bias=use_bias,
    )


def _resnet(name: str, common: Common, stem: str) -> keras.Model:
    check_one_of("stem", stem, STEMS)
    row = ROWS[name]
    block = residual if row.is_basic else partial(bottleneck, use_bias=True)

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from stem_stages(stem, seeds, use_bias=not row.is_basic)
        stages = zip(row.blocks, FILTERS, strict=True)
        for number, (num_blocks, filters) in enumerate(stages, start=2):
            halving = 1 if number > 2 else None
            make = partial(block, filters, seed=seeds)
            yield stage_of_blocks(f"conv{number}", num_blocks, halving, make)

    return build_network(
        name, body, pooled_top, common, min_side=1, own_pixels=row.own_pixels
    )


def resnet18(
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
    """ResNet-18: eight basic blocks.

    Convolutions have no bias: the normalisation after each would cancel it.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 512)`, rounded up, or `(batch, 512)` when pooled.
    Parameters: 11,699,112 at the defaults; 11,186,112 without the top.

    Args:
        include_top: end in a pooled classifier.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: any height and width, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`, where a row of table 1 is a model.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        stem: `"imagenet"`, or `"cifar"` for small images: a 3x3 convolution without
            strides or pooling, and so maps of `height / 8`.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1512.03385, table 1
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet("resnet18", common, stem)


def resnet34(
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
    """ResNet-34: sixteen basic blocks.

    Parameters: 21,814,696 at the defaults; 21,301,696 without the top.

    Args, input and output: those of `resnet18`.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet("resnet34", common, stem)


def resnet50(
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
    """ResNet-50: sixteen bottleneck blocks.

    Layers bear the names of `keras.applications.ResNet50`.
    Parameters: 25,636,712 at the defaults; 23,587,712 without the top.

    Args, input and output: those of `resnet18`; 2048 channels leave the
    trunk, and `pixels=None` is `"caffe"`, the rule of its ImageNet weights.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet("resnet50", common, stem)


def resnet101(
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
    """ResNet-101: thirty-three bottleneck blocks.

    Layers bear the names of `keras.applications.ResNet101`.
    Parameters: 44,707,176 at the defaults; 42,658,176 without the top.

    Args, input and output: those of `resnet50`.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet("resnet101", common, stem)


def resnet152(
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
    """ResNet-152: fifty bottleneck blocks.

    Layers bear the names of `keras.applications.ResNet152`.
    Parameters: 60,419,944 at the defaults; 58,370,944 without the top.

    Args, input and output: those of `resnet50`.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet("resnet152", common, stem)
