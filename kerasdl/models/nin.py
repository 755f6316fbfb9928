"""Network in Network (Lin, Chen & Yan, 2013), in the shape of AlexNet.

https://arxiv.org/abs/1312.4400, figure 2: convolutions with a small dense network at
every pixel, and a global average instead of dense layers.
"""

from collections.abc import Iterator
from pathlib import Path

import keras
from keras import layers

from kerasdl._checks import check_one_of
from kerasdl._seeds import Seeds

from ._blocks import conv, softmax
from ._network import Common, build_network
from ._stages import Seed, Stage, begin_block

YEAR = 2013

# Dive into Deep Learning, section 8.3: filters, kernel, strides and padding of each
# block but the last; 3x3 maxima, two apart, follow.
_BLOCKS = (
    (96, 11, 4, "valid"),
    (256, 5, 1, "same"),
    (384, 3, 1, "same"),
)


def nin_block(
    filters: int,
    kernel_size: int,
    strides: int = 1,
    padding: str = "same",
    *,
    name: str | None = None,
    seed: Seed = None,
) -> keras.Sequential:
    """A convolution, then two of 1x1: a dense network that all pixels share.

    Args:
        filters: of each convolution; a ReLU follows it.
        kernel_size: of the first.
        strides: of the first.
        padding: of the first, `"same"` or `"valid"`.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    check_one_of("padding", padding, ("same", "valid"))
    sizes = {"filters": filters, "kernel_size": kernel_size, "strides": strides}
    name, seeds = begin_block("nin_block", name, seed, **sizes)
    shape = {"strides": strides, "padding": padding}
    stages = [
        conv(filters, kernel_size, f"{name}_conv", seeds, activation="relu", **shape),
        conv(filters, 1, f"{name}_dense1", seeds, activation="relu"),
        conv(filters, 1, f"{name}_dense2", seeds, activation="relu"),
    ]
    return keras.Sequential(stages, name=name)


def _body(seeds: Seeds) -> Iterator[Stage]:
    for number, row in enumerate(_BLOCKS, start=1):
        yield from nin_block(*row, name=f"block{number}", seed=seeds).layers
        yield layers.MaxPooling2D(3, strides=2, name=f"pool{number}")


def _top(seeds: Seeds, classes: int) -> Iterator[Stage]:
    yield layers.Dropout(0.5, seed=seeds(), name="dropout")
    yield from nin_block(classes, 3, name="block4", seed=seeds).layers
    yield layers.GlobalAveragePooling2D(name="avg_pool")
    yield softmax()


def nin(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """Network in Network: four blocks, of which the last has a map for each class.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, 5, 5, 384)` at
    224x224, or `(batch, 384)` when pooled.
    Parameters: 7,439,608 at the defaults; 1,980,608 without the top.

    Args:
        include_top: end in Dropout(0.5), the last block and the average of its maps.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 67, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://d2l.ai/chapter_convolutional-modern/nin.html
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return build_network("nin", _body, _top, common, min_side=67)
