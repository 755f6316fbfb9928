"""VGG (Simonyan & Zisserman, 2014), https://arxiv.org/abs/1409.1556."""

from collections.abc import Iterator
from pathlib import Path

import keras
from keras import layers

from kerasdl._checks import check_positive_int

from ._blocks import Seeds, Stage, conv, dense, dense_softmax
from ._network import build_network

# Table 1 of the paper: 3x3 convolutions in each of the five stages.
CONVS = {
    "vgg11": (1, 1, 2, 2, 2),  # column A
    "vgg13": (2, 2, 2, 2, 2),  # column B
    "vgg16": (2, 2, 3, 3, 3),  # column D
    "vgg19": (2, 2, 4, 4, 4),  # column E
}
FILTERS = (64, 128, 256, 512, 512)
UNITS = 4096  # of the two dense layers before the last


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
    units: int = UNITS,
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
    return _vgg(
        "vgg11",
        "unit",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        ratio,
        units,
        seed,
    )


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
    units: int = UNITS,
    seed: int | None = None,
) -> keras.Model:
    """VGG-13: ten 3x3 convolutions and three dense layers.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 32,
    width // 32, 512)`, or `(batch, 512)` when pooled.
    Parameters: 133,047,848 at the defaults; 9,404,992 without the top.

    Args: those of `vgg11`; `pixels=None` is `"unit"`.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1409.1556, table 1, column B
    """
    return _vgg(
        "vgg13",
        "unit",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        ratio,
        units,
        seed,
    )


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
    units: int = UNITS,
    seed: int | None = None,
) -> keras.Model:
    """VGG-16: thirteen 3x3 convolutions and three dense layers.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 32,
    width // 32, 512)`, or `(batch, 512)` when pooled.
    Parameters: 138,357,544 at the defaults; 14,714,688 without the top.

    Args: those of `vgg11`; `pixels=None` is `"caffe"`, as its ImageNet weights need.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1409.1556, table 1, column D
    """
    return _vgg(
        "vgg16",
        "caffe",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        ratio,
        units,
        seed,
    )


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
    units: int = UNITS,
    seed: int | None = None,
) -> keras.Model:
    """VGG-19: sixteen 3x3 convolutions and three dense layers.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 32,
    width // 32, 512)`, or `(batch, 512)` when pooled.
    Parameters: 143,667,240 at the defaults; 20,024,384 without the top.

    Args: those of `vgg11`; `pixels=None` is `"caffe"`, as its ImageNet weights need.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1409.1556, table 1, column E
    """
    return _vgg(
        "vgg19",
        "caffe",
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build,
        pixels,
        ratio,
        units,
        seed,
    )


def check_ratio(ratio: int) -> None:
    """Raise ValueError unless `ratio` leaves the first convolution a filter."""
    is_int = isinstance(ratio, int) and not isinstance(ratio, bool)
    if not is_int or not 1 <= ratio <= min(FILTERS):
        raise ValueError(
            f"`ratio` must be an integer from 1 to {min(FILTERS)}, the filters of the "
            f"first convolution. Received: ratio={ratio!r}"
        )


def _vgg(
    name: str,
    own_pixels: str,
    include_top: bool,
    weights: str | Path | None,
    input_shape: tuple[int | None, int | None, int],
    pooling: str | None,
    classes: int,
    build: str,
    pixels: str | None,
    ratio: int,
    units: int,
    seed: int | None,
) -> keras.Model:
    check_ratio(ratio)
    check_positive_int("units", units)

    def body(seeds: Seeds) -> Iterator[Stage]:
        table = zip(range(1, 6), CONVS[name], FILTERS, strict=True)
        for stage, convs, filters in table:
            for number in range(1, convs + 1):
                yield conv(
                    filters // ratio,
                    3,
                    f"block{stage}_conv{number}",
                    seeds,
                    activation="relu",
                )
            yield layers.MaxPooling2D(2, name=f"block{stage}_pool")

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
        include_top,
        weights,
        input_shape,
        pooling,
        classes,
        build=build,
        pixels=pixels,
        seed=seed,
        min_side=32,
        own_pixels=own_pixels,
        fixed_top=True,
    )
