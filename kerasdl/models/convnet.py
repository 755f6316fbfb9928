"""The small convolutional networks of the Keras book: digits, and cats and dogs.

Chollet, Deep Learning with Python, 2017.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import conv, dense, dense_softmax
from ._network import Common, build_network
from ._stages import Stage
from .heads import check_dropout

YEAR = 2017


class _Row(NamedTuple):
    filters: tuple[int, ...]  # of 3x3, each followed by 2x2 maxima
    ends_in_pool: bool  # the last one too
    units: int
    one_unit: bool  # for two classes: a sigmoid
    min_side: int


_ROWS = {
    # Listings 5.1 and 5.2
    "mnist_convnet": _Row(
        (32, 64, 64), ends_in_pool=False, units=64, one_unit=False, min_side=18
    ),
    # Listing 5.5
    "convnet": _Row(
        (32, 64, 128, 128), ends_in_pool=True, units=512, one_unit=True, min_side=46
    ),
}


def _convnet(name: str, common: Common, dropout: float) -> keras.Model:
    check_dropout(dropout)
    row = _ROWS[name]

    def body(seeds: Seeds) -> Iterator[Stage]:
        for i, filters in enumerate(row.filters, start=1):
            yield conv(
                filters, 3, f"conv{i}", seeds, padding="valid", activation="relu"
            )
            if i < len(row.filters) or row.ends_in_pool:
                yield layers.MaxPooling2D(2, name=f"pool{i}")

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.Flatten(name="flatten")
        if dropout:
            yield layers.Dropout(dropout, seed=seeds(), name="dropout")
        yield dense(row.units, "dense", seeds, activation="relu")
        if row.one_unit and classes == 2:
            yield dense(1, "predictions", seeds, activation="sigmoid", dtype="float32")
        else:
            yield dense_softmax(classes, seeds)

    return build_network(name, body, top, common, min_side=row.min_side, fixed_top=True)


def mnist_convnet(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 1),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    dropout: float = 0.0,
    seed: int | None = None,
) -> keras.Model:
    """Three 3x3 convolutions, two halvings and two dense layers, for MNIST.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, 3, 3, 64)` at
    28x28, or `(batch, 64)` when pooled.
    Parameters: 93,322 at the defaults; 55,744 without the top.

    Args:
        include_top: end in the dense layers.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 18; None works without the top.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        dropout: fraction in [0, 1) before the dense layers.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        Chollet, Deep Learning with Python, 2017, section 5.1
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _convnet("mnist_convnet", common, dropout)


def convnet(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (150, 150, 3),
    pooling: str | None = None,
    classes: int = 2,
    *,
    build: str = "functional",
    pixels: str | None = None,
    dropout: float = 0.0,
    seed: int | None = None,
) -> keras.Model:
    """Four 3x3 convolutions, each with a halving, and two dense layers.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, 1)`, the probability of the second of two classes, or
    `(batch, classes)` probabilities; without the top `(batch, 7, 7, 128)` at 150x150,
    or `(batch, 128)` when pooled.
    Parameters: 3,453,121 at the defaults; 240,832 without the top.

    Args:
        include_top: end in the dense layers.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 46; None works without the top.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2; two classes end in one sigmoid unit, as in the book.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        dropout: fraction in [0, 1) before the dense layers; the book takes 0.5 with
            augmentation.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        Chollet, Deep Learning with Python, 2017, section 5.2

    Example:
        ```
        small = kd.models.convnet(input_shape=(64, 64, 3), classes=3, seed=1)
        ```
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _convnet("convnet", common, dropout)
