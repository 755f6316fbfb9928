"""ResNet (He, Zhang, Ren & Sun, 2015), https://arxiv.org/abs/1512.03385."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import layers

from kerasdl._checks import check_one_of

from ._blocks import Block, Seeds, Stage, run
from ._network import build_network
from ._resnet_parts import STEMS, he_conv, norm, norm_relu, pooled_top, stem_stages

# Table 1 of the paper: residual blocks in conv2_x to conv5_x.
BLOCKS = {
    "resnet18": (2, 2, 2, 2),  # of two 3x3 convolutions
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),  # of 1x1, 3x3 and 1x1, the last four times as wide
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
BASIC = ("resnet18", "resnet34")
FILTERS = (64, 128, 256, 512)  # of the 3x3 convolutions


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
    return _resnet(
        "resnet18",
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

    Arguments and errors are those of `resnet18`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 512)`, rounded up, or `(batch, 512)` when pooled.
    Parameters: 21,814,696 at the defaults; 21,301,696 without the top.

    Reference:
        https://arxiv.org/abs/1512.03385, table 1
    """
    return _resnet(
        "resnet34",
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

    Layers bear the names of `keras.applications.ResNet50`. Arguments and errors are
    those of `resnet18`; `pixels=None` is `"caffe"`, the rule of its ImageNet weights.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 2048)`, rounded up, or `(batch, 2048)` when pooled.
    Parameters: 25,636,712 at the defaults; 23,587,712 without the top.

    Reference:
        https://arxiv.org/abs/1512.03385, table 1
    """
    return _resnet(
        "resnet50",
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
    Arguments and errors are those of `resnet50`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 2048)`, rounded up, or `(batch, 2048)` when pooled.
    Parameters: 44,707,176 at the defaults; 42,658,176 without the top.

    Reference:
        https://arxiv.org/abs/1512.03385, table 1
    """
    return _resnet(
        "resnet101",
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
    Arguments and errors are those of `resnet50`.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 2048)`, rounded up, or `(batch, 2048)` when pooled.
    Parameters: 60,419,944 at the defaults; 58,370,944 without the top.

    Reference:
        https://arxiv.org/abs/1512.03385, table 1
    """
    return _resnet(
        "resnet152",
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


def _resnet(
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
    is_basic = name in BASIC

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from stem_stages(stem, seeds, use_bias=not is_basic)
        rows = zip(BLOCKS[name], FILTERS, strict=True)
        for number, (num_blocks, filters) in enumerate(rows, start=2):
            blocks = [
                _block(
                    f"conv{number}_block{i}",
                    filters,
                    2 if number > 2 and i == 1 else 1,
                    is_basic,
                    seeds,
                )
                for i in range(1, num_blocks + 1)
            ]
            yield Block(f"conv{number}", partial(run, blocks))

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
        own_pixels="unit" if is_basic else "caffe",
    )


def _block(
    name: str, filters: int, strides: int, is_basic: bool, seeds: Seeds
) -> Block:
    """Figure 5: two 3x3 convolutions, or 1x1 to narrow, 3x3, and 1x1 to widen.

    The input is added (equation 1), projected by 1x1 where its shape differs (2).
    """
    filters_out = filters if is_basic else 4 * filters
    # The ImageNet weights have biases, though each normalisation cancels them.
    conv = partial(he_conv, seeds=seeds, use_bias=not is_basic)

    def branch() -> Iterator[Stage]:
        yield from conv(filters, 3 if is_basic else 1, f"{name}_1", strides=strides)
        yield from norm_relu(f"{name}_1")
        yield from conv(filters, 3, f"{name}_2")
        if is_basic:
            yield norm(f"{name}_2_bn")
        else:
            yield from norm_relu(f"{name}_2")
            yield from conv(filters_out, 1, f"{name}_3")
            yield norm(f"{name}_3_bn")

    def projection() -> Iterator[Stage]:
        yield from conv(filters_out, 1, f"{name}_0", strides=strides)
        yield norm(f"{name}_0_bn")

    def function(x: Any) -> Any:
        same_shape = strides == 1 and x.shape[-1] == filters_out
        shortcut = x if same_shape else run(projection(), x)
        total = layers.Add(name=f"{name}_add")([shortcut, run(branch(), x)])
        return layers.ReLU(name=f"{name}_out")(total)

    return Block(name, function)
