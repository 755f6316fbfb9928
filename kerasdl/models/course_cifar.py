"""The course's four networks for CIFAR-10, of 28x28 pixels, exactly as taught.

Convolutions and maxima pad all sides alike, as the course's framework does. Where that
counts no moving averages of BatchNorm, the counts named here as trained are its own.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import conv, dense_softmax, depthwise, he_fan_out
from ._network import Common, build_network
from ._resnet_parts import he_conv, norm_relu, pooled_top, stage_of_blocks
from ._stages import Block, Stage, run
from .resnet import residual

YEAR = 2020

# Filters of the 3x3 convolutions before each halving.
_VGG = ((64,), (128, 128), (256, 256), (512, 512))
_PADDED_POOL = 3  # number of the halving that pads: 7 becomes 4
_RESNET = (64, 128, 256, 512)
# Filters after each depthwise separable convolution, and its strides.
_MOBILENET = (
    (32, 1),
    (64, 2),
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
)
# Filters of each of four paths, and of the 1x1 before 3x3 and before 5x5.
_INCEPTION = {"inception1": (64, 16), "inception2": (96, 32)}


def _conv_norm_relu(
    filters: int,
    kernel: int,
    name: str,
    seeds: Seeds,
    strides: int = 1,
    use_bias: bool = True,
) -> Iterator[Stage]:
    yield from he_conv(filters, kernel, name, seeds, strides=strides, use_bias=use_bias)
    yield from norm_relu(name)


def _padded_maxima(size: int, name: str) -> Iterator[Stage]:
    """Maxima two apart, padded by 1: by 0, which is below no ReLU's output."""
    pad = 1 if size == 3 else ((1, 0), (1, 0))
    yield layers.ZeroPadding2D(pad, name=f"{name}_pad")
    yield layers.MaxPooling2D(size, strides=2, name=name)


def _vgg_body(seeds: Seeds) -> Iterator[Stage]:
    for stage, filters in enumerate(_VGG, start=1):
        for number, count in enumerate(filters, start=1):
            yield from _conv_norm_relu(count, 3, f"conv{stage}_{number}", seeds)
        if stage == _PADDED_POOL:
            yield from _padded_maxima(2, f"pool{stage}")
        else:
            yield layers.MaxPooling2D(2, name=f"pool{stage}")


def _flat_top(seeds: Seeds, classes: int) -> Iterator[Stage]:
    yield layers.Flatten(name="flatten")
    yield dense_softmax(classes, seeds)


def _resnet_body(seeds: Seeds) -> Iterator[Stage]:
    yield from _conv_norm_relu(32, 3, "conv1", seeds, use_bias=False)
    for stage, filters in enumerate(_RESNET, start=2):
        make = partial(residual, filters, seed=seeds)
        yield stage_of_blocks(f"conv{stage}", 2, 1, make)


def _mobilenet_body(seeds: Seeds) -> Iterator[Stage]:
    yield from _conv_norm_relu(32, 3, "conv1", seeds)
    for number, (filters, strides) in enumerate(_MOBILENET, start=1):
        wide, deep = f"conv_dw_{number}", f"conv_pw_{number}"
        if strides == 2:
            yield layers.ZeroPadding2D(1, name=f"{wide}_pad")
        padding = "same" if strides == 1 else "valid"
        yield depthwise(3, wide, seeds, strides=strides, padding=padding)
        yield from norm_relu(wide)
        yield from _conv_norm_relu(filters, 1, deep, seeds, use_bias=False)


def _inception_body(seeds: Seeds) -> Iterator[Stage]:
    yield layers.ZeroPadding2D(1, name="conv1_pad")
    yield conv(
        64,
        kernel=7,
        name="conv1",
        seeds=seeds,
        strides=2,
        padding="valid",
        initializer=he_fan_out,
    )
    yield from norm_relu("conv1")
    yield from _conv_norm_relu(128, 3, "conv2", seeds, strides=2)
    for number, (name, filters) in enumerate(_INCEPTION.items(), start=1):
        yield _inception(name, *filters, seeds)
        yield from _padded_maxima(3, f"pool{number}")


def _inception(name: str, filters: int, reduced: int, seeds: Seeds) -> Block:
    """Paths of 1x1, of 3x3, of 5x5, and of maxima; the last ends in 3x3 here."""

    def function(x: Any) -> Any:
        unit = partial(_conv_norm_relu, seeds=seeds)
        maxima = layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")
        paths = (
            unit(filters, 1, f"{name}_1x1"),
            [
                *unit(reduced, 1, f"{name}_3x3_reduce"),
                *unit(filters, 3, f"{name}_3x3"),
            ],
            [
                *unit(reduced, 1, f"{name}_5x5_reduce"),
                *unit(filters, 5, f"{name}_5x5"),
            ],
            [maxima, *unit(filters, 3, f"{name}_pool_3x3")],
        )
        sides = [run(stages, x) for stages in paths]
        return layers.Concatenate(name=f"{name}_concat")(sides)

    return Block(name, function)


def course_vgg(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 3),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """The course's VGG: seven 3x3 convolutions with BatchNorm, four halvings.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, 2, 2, 512)` at
    28x28, or `(batch, 512)` when pooled.
    Parameters: 4,672,650 trained, and 3,712 moving averages.

    Args:
        include_top: end in the dense layer.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 12; None works without the top.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return build_network(
        "course_vgg", _vgg_body, _flat_top, common, min_side=12, fixed_top=True
    )


def course_resnet18(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 3),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """The course's ResNet-18: 32 filters first, and each of four stages halves.

    Input and arguments as `course_vgg`, of any height and width.
    Output: `(batch, classes)` probabilities; without the top `(batch, 2, 2, 512)` at
    28x28, or `(batch, 512)` when pooled.
    Parameters: 11,156,778 trained, and 9,664 moving averages.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return build_network(
        "course_resnet18", _resnet_body, pooled_top, common, min_side=1
    )


def course_mobilenet(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 3),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """The course's MobileNet: a convolution and eight depthwise separable ones.

    Input and arguments as `course_vgg`, of any height and width.
    Output: `(batch, classes)` probabilities; without the top `(batch, 2, 2, 512)` at
    28x28, or `(batch, 512)` when pooled.
    Parameters: 280,650 trained, and 4,864 moving averages.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return build_network(
        "course_mobilenet", _mobilenet_body, pooled_top, common, min_side=1
    )


def course_inception(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 3),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """The course's Inception: two convolutions and two blocks of four paths.

    Its path after the maxima has a 3x3 convolution, where papers have 1x1.

    Input and arguments as `course_vgg`; height and width of at least 5.
    Output: `(batch, classes)` probabilities; without the top `(batch, 2, 2, 384)` at
    28x28, or `(batch, 384)` when pooled.
    Parameters: 577,194 trained, and 1,856 moving averages.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return build_network(
        "course_inception", _inception_body, pooled_top, common, min_side=5
    )
