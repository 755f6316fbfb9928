"""SqueezeNet (Iandola et al., 2016), https://arxiv.org/abs/1602.07360."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from keras import initializers, layers

from kerasdl._seeds import Seeds

from ._blocks import conv, softmax
from ._network import Common, build_network
from ._stages import Block, Stage

YEAR = 2016

# Table 1 of the paper: filters of 1x1 that squeeze, and of 1x1 and of 3x3 that expand.
_FIRES = {
    "fire2": (16, 64, 64),
    "fire3": (16, 64, 64),
    "fire4": (32, 128, 128),
    "fire5": (32, 128, 128),
    "fire6": (48, 192, 192),
    "fire7": (48, 192, 192),
    "fire8": (64, 256, 256),
    "fire9": (64, 256, 256),
}
_POOLS = {"fire4": "pool4", "fire8": "pool8"}  # 3x3 maxima, two apart, after these


def _fire(
    name: str, squeeze: int, expand_1x1: int, expand_3x3: int, seeds: Seeds
) -> Block:
    """Squeeze to few channels; expand by 1x1 and by 3x3, side by side (figure 1)."""

    def relu_conv(filters: int, kernel: int, suffix: str) -> layers.Conv2D:
        return conv(
            filters,
            kernel,
            f"{name}_{suffix}",
            seeds,
            activation="relu",
            # From Glorot's the signal fades: nothing normalises it.
            initializer=initializers.HeNormal,
        )

    def function(x: Any) -> Any:
        x = relu_conv(squeeze, 1, "squeeze1x1")(x)
        sides = [
            relu_conv(expand_1x1, 1, "expand1x1")(x),
            relu_conv(expand_3x3, 3, "expand3x3")(x),
        ]
        return layers.Concatenate(name=f"{name}_concat")(sides)

    return Block(name, function)


def _body(seeds: Seeds) -> Iterator[Stage]:
    yield conv(96, 7, "conv1", seeds, strides=2, padding="valid", activation="relu")
    yield layers.MaxPooling2D(3, strides=2, name="pool1")
    for name, filters in _FIRES.items():
        yield _fire(name, *filters, seeds)
        if name in _POOLS:
            yield layers.MaxPooling2D(3, strides=2, name=_POOLS[name])


def _top(seeds: Seeds, classes: int) -> Iterator[Stage]:
    yield layers.Dropout(0.5, seed=seeds(), name="dropout9")
    yield conv(classes, 1, "conv10", seeds, activation="relu")
    yield layers.GlobalAveragePooling2D(name="avg_pool")
    yield softmax()


def squeezenet(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (227, 227, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """SqueezeNet 1.0: a convolution, eight fire modules and a convolution.

    The paper's table speaks of 224x224 images, but its maps (111, 55, 27 and 13 pixels
    wide) come from 227x227.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, 13, 13, 512)` at
    227x227, or `(batch, 512)` when pooled.
    Parameters: 1,248,424 at the defaults; 735,424 without the top.

    Args:
        include_top: end in Dropout(0.5), a map for each class and their averages.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 35, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`, where a fire module is a model.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1602.07360, table 1
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return build_network("squeezenet", _body, _top, common, min_side=35)
