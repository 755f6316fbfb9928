"""ResNet with pre-activation (He, Zhang, Ren & Sun, 2016).

Identity mappings in deep residual networks, https://arxiv.org/abs/1603.05027: nothing
but additions on the way from the first block to the last.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import layers

from kerasdl._checks import check_one_of

from ._blocks import Block, Seeds, Stage, run
from ._network import build_network
from ._resnet_parts import STEMS, he_conv, norm_relu, pooled_top, stem_stages
from .resnet import BASIC, BLOCKS, FILTERS


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

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 512)`, rounded up, or `(batch, 512)` when pooled.
    Parameters: 11,695,528 at the defaults; 11,182,528 without the top.

    Args:
        include_top: end in a pooled classifier.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: any height and width, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`, where each of conv2 to conv5 is
            a model.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        stem: `"imagenet"`, or `"cifar"` for small images: a 3x3 convolution without
            strides or pooling, and so maps of `height / 8`.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1603.05027, figure 4 (e)
    """
    return _resnet_v2(
        "resnet18_v2",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
    )


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

    Arguments and errors are those of `resnet18_v2`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 512)`, rounded up, or `(batch, 512)` when pooled.
    Parameters: 21,811,112 at the defaults; 21,298,112 without the top.

    Reference:
        https://arxiv.org/abs/1603.05027, figure 4 (e)
    """
    return _resnet_v2(
        "resnet34_v2",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
    )


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

    Layers bear the names of `keras.applications.ResNet50V2`. The last block of a stage
    halves the image, as its weights want it; in the paper the first of the next does.
    Arguments and errors are those of `resnet18_v2`; `pixels=None` is `"tf"`, the rule
    of its ImageNet weights.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 2048)`, rounded up, or `(batch, 2048)` when pooled.
    Parameters: 25,613,800 at the defaults; 23,564,800 without the top.

    Reference:
        https://arxiv.org/abs/1603.05027, figure 4 (e)
    """
    return _resnet_v2(
        "resnet50_v2",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
    )


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
    Arguments and errors are those of `resnet50_v2`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 2048)`, rounded up, or `(batch, 2048)` when pooled.
    Parameters: 44,675,560 at the defaults; 42,626,560 without the top.

    Reference:
        https://arxiv.org/abs/1603.05027, figure 4 (e)
    """
    return _resnet_v2(
        "resnet101_v2",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
    )


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
    Arguments and errors are those of `resnet50_v2`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 2048)`, rounded up, or `(batch, 2048)` when pooled.
    Parameters: 60,380,648 at the defaults; 58,331,648 without the top.

    Reference:
        https://arxiv.org/abs/1603.05027, figure 4 (e)
    """
    return _resnet_v2(
        "resnet152_v2",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        stem,
        seed,
    )


def _resnet_v2(
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
) -> keras.Model:
    check_one_of("stem", stem, STEMS)
    row = name.removesuffix("_v2")  # table 1 of the first paper
    is_basic = row in BASIC

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from stem_stages(stem, seeds, use_bias=not is_basic, preactivation=True)
        rows = zip(BLOCKS[row], FILTERS, strict=True)
        for number, (num_blocks, filters) in enumerate(rows, start=2):
            if is_basic:
                halving = 1 if number > 2 else None
            else:  # the ImageNet weights halve the image one block earlier
                halving = num_blocks if number < 5 else None
            blocks = [
                _block(
                    f"conv{number}_block{i}",
                    filters,
                    2 if i == halving else 1,
                    is_basic,
                    seeds,
                )
                for i in range(1, num_blocks + 1)
            ]
            yield Block(f"conv{number}", partial(run, blocks))
        yield from norm_relu("post")

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
        min_side=1,
        own_pixels="unit" if is_basic else "tf",
    )


def _block(
    name: str, filters: int, strides: int, is_basic: bool, seeds: Seeds
) -> Block:
    """Figure 4 (e): normalisation and ReLU come before each convolution."""
    filters_out = filters if is_basic else 4 * filters
    use_bias = not is_basic  # as the ImageNet weights have it

    def branch() -> Iterator[Stage]:
        if is_basic:
            yield from he_conv(filters, 3, f"{name}_1", seeds, strides=strides)
            yield from norm_relu(f"{name}_1")
            yield from he_conv(filters, 3, f"{name}_2", seeds)
        else:
            yield from he_conv(filters, 1, f"{name}_1", seeds)
            yield from norm_relu(f"{name}_1")
            yield from he_conv(filters, 3, f"{name}_2", seeds, strides=strides)
            yield from norm_relu(f"{name}_2")
            yield from he_conv(filters_out, 1, f"{name}_3", seeds, use_bias=use_bias)

    def function(x: Any) -> Any:
        activated = run(norm_relu(f"{name}_preact"), x)
        shortcut = x
        if x.shape[-1] != filters_out:
            projection = he_conv(
                filters_out, 1, f"{name}_0", seeds, strides=strides, use_bias=use_bias
            )
            shortcut = run(projection, activated)
        elif strides > 1:  # every second pixel
            shortcut = layers.MaxPooling2D(1, strides=strides, name=f"{name}_0_pool")(x)
        return layers.Add(name=f"{name}_out")([shortcut, run(branch(), activated)])

    return Block(name, function)
