"""The course's network for digits: one convolution, BatchNorm, one dense layer."""

from collections.abc import Iterator
from pathlib import Path

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import conv, dense_softmax
from ._network import Common, build_network
from ._stages import Stage

YEAR = 2020


def _body(seeds: Seeds) -> Iterator[Stage]:
    yield conv(32, 5, "conv", seeds)
    yield layers.BatchNormalization(name="conv_bn")
    yield layers.ReLU(name="conv_relu")
    yield layers.MaxPooling2D(2, name="pool")


def _top(seeds: Seeds, classes: int) -> Iterator[Stage]:
    yield layers.Flatten(name="flatten")
    yield dense_softmax(classes, seeds)


def course_convnet(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 1),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """One 5x5 convolution, BatchNorm, a halving and a dense layer, for MNIST.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, 14, 14, 32)` at
    28x28, or `(batch, 32)` when pooled.
    Parameters: 63,690 at the defaults, of which 63,626 are trained, as frameworks
    count that do not count moving averages; without the top 960.

    Args and errors: those of `course_vgg`; height and width are of at least 2.
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return build_network(
        "course_convnet", _body, _top, common, min_side=2, fixed_top=True
    )
