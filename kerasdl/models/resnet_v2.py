"""ResNet with pre-activation (He, Zhang, Ren & Sun, 2016).

Identity mappings in deep residual networks, https://arxiv.org/abs/1603.05027: nothing
but additions on the way from the first block to the last.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import layers

from kerasdl._checks import check_one_of
from kerasdl._seeds import Seeds

from ._network import Common, build_network
from ._resnet_parts import (
    STEMS,
    he_conv,
    norm_relu,
    pooled_top,
    stage_of_blocks,
    stem_stages,
)
from ._stages import Block, Seed, Stage, begin_block, run
from .resnet import FILTERS, Row

YEAR = 2016

# Table 1 of the first paper.
ROWS = {
    "resnet18_v2": Row((2, 2, 2, 2), is_basic=True, own_pixels="unit"),
    "resnet34_v2": Row((3, 4, 6, 3), is_basic=True, own_pixels="unit"),
    "resnet50_v2": Row((3, 4, 6, 3), is_basic=False, own_pixels="tf"),
    "resnet101_v2": Row((3, 4, 23, 3), is_basic=False, own_pixels="tf"),
    "resnet152_v2": Row((3, 8, 36, 3), is_basic=False, own_pixels="tf"),
}


def preactivation(
    filters: int, strides: int = 1, *, name: str | None = None, seed: Seed = None
) -> Block:
    """A residual block whose normalisation and ReLU come first (figure 4 (e)).

    Output: `filters` maps, height and width divided by `strides`, rounded up. The input
    is added as it came, or by 1x1 where the number of its maps changes.

    Args:
        filters: of both 3x3 convolutions.
        strides: of the first.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    name, seeds = begin_block(
        "preactivation", name, seed, filters=filters, strides=strides
    )

    def branch() -> Iterator[Stage]:
        yield from he_conv(filters, 3, f"{name}_1", seeds, strides=strides)
        yield from norm_relu(f"{name}_1")
        yield from he_conv(filters, 3, f"{name}_2", seeds)

    return _activate_and_add(name, filters, strides, branch, seeds)


def preactivation_bottleneck(
    filters: int,
    strides: int = 1,
    *,
    use_bias: bool = False,
    name: str | None = None,
    seed: Seed = None,
) -> Block:
    """A bottleneck whose normalisation and ReLU come first (figure 4 (e)).

    Output: `4 * filters` maps, height and width divided by `strides`, rounded up.

    Args: those of `preactivation`, and

        use_bias: of the last convolution and that on the way past, as the ImageNet
            weights have it.
    """
    name, seeds = begin_block(
        "preactivation_bottleneck", name, seed, filters=filters, strides=strides
    )

    def branch() -> Iterator[Stage]:
        yield from he_conv(filters, 1, f"{name}_1", seeds)
        yield from norm_relu(f"{name}_1")
        yield from he_conv(filters, 3, f"{name}_2", seeds, strides=strides)
        yield from norm_relu(f"{name}_2")
        yield from he_conv(4 * filters, 1, f"{name}_3", seeds, use_bias=use_bias)

    return _activate_and_add(
        name, 4 * filters, strides, branch, seeds, use_bias=use_bias
    )


def _activate_and_add(
    name: str,
    filters: int,
    strides: int,
    branch: Callable[[], Iterable[Stage]],
    seeds: Seeds,
    *,
    use_bias: bool = False,
) -> Block:
    def function(x: Any) -> Any:
        activated, past = run(norm_relu(f"{name}_preact"), x), x
        if x.shape[-1] != filters:
            projection = he_conv(
                filters, 1, f"{name}_0", seeds, strides=strides, use_bias=use_bias
            )
            past = run(projection, activated)
        elif strides > 1:  # every second pixel
            past = layers.MaxPooling2D(1, strides=strides, name=f"{name}_0_pool")(x)
        return layers.Add(name=f"{name}_out")([past, run(branch(), activated)])

    return Block(name, function)


def _resnet_v2(name: str, common: Common, stem: str) -> keras.Model:
    check_one_of("stem", stem, STEMS)
    row = ROWS[name]
    block = (
        preactivation
        if row.is_basic
        else partial(preactivation_bottleneck, use_bias=True)
    )

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from stem_stages(
            stem, seeds, use_bias=not row.is_basic, preactivation=True
        )
        stages = zip(row.blocks, FILTERS, strict=True)
        for number, (num_blocks, filters) in enumerate(stages, start=2):
            if row.is_basic:
                halving = 1 if number > 2 else None
            else:  # the ImageNet weights halve the image one block earlier
                halving = num_blocks if number < 5 else None
            make = partial(block, filters, seed=seeds)
            yield stage_of_blocks(f"conv{number}", num_blocks, halving, make)
        yield from norm_relu("post")

    return build_network(
        name, body, pooled_top, common, min_side=1, own_pixels=row.own_pixels
    )


def resnet18_v2(
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
    """ResNet-18 with pre-activation: eight basic blocks.

    Convolutions have no bias: the next normalisation would cancel it.

    Parameters: 11,695,528 at the defaults; 11,182,528 without the top.

    Args, input and output: those of `resnet18`.

    Reference:
        https://arxiv.org/abs/1603.05027, figure 4 (e)
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet_v2("resnet18_v2", common, stem)


def resnet34_v2(
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
    """ResNet-34 with pre-activation: sixteen basic blocks.

    Parameters: 21,811,112 at the defaults; 21,298,112 without the top.

    Args, input and output: those of `resnet18`.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet_v2("resnet34_v2", common, stem)


def resnet50_v2(
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
    """ResNet-50 with pre-activation: sixteen bottleneck blocks.

    Layers bear the names of `keras.applications.ResNet50V2`.
    The last block of a stage halves the image, as its weights want it; in the paper the
    first of the next does.
    Parameters: 25,613,800 at the defaults; 23,564,800 without the top.

    Args, input and output: those of `resnet50`; `pixels=None` is `"tf"`, the rule of
    its ImageNet weights.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet_v2("resnet50_v2", common, stem)


def resnet101_v2(
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
    """ResNet-101 with pre-activation: thirty-three bottleneck blocks.

    Layers bear the names of `keras.applications.ResNet101V2`.
    Parameters: 44,675,560 at the defaults; 42,626,560 without the top.

    Args, input and output: those of `resnet50_v2`.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet_v2("resnet101_v2", common, stem)


def resnet152_v2(
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
    """ResNet-152 with pre-activation: fifty bottleneck blocks.

    Layers bear the names of `keras.applications.ResNet152V2`.
    Parameters: 60,380,648 at the defaults; 58,331,648 without the top.

    Args, input and output: those of `resnet50_v2`.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _resnet_v2("resnet152_v2", common, stem)
