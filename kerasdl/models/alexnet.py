"""AlexNet (Krizhevsky, Sutskever & Hinton, 2012), figure 2, on one device.

ImageNet classification with deep convolutional neural networks, NeurIPS 25.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import layers, ops

from kerasdl._checks import check_positive_int
from kerasdl._seeds import Seeds

from ._blocks import conv, dense, dense_softmax
from ._network import Common, build_network
from ._stages import Block, Stage

YEAR = 2012


class _Conv(NamedTuple):
    filters: int
    kernel: int
    strides: int
    padding: str
    normalise: bool  # local response normalisation, section 3.3
    pool: bool  # 3x3 maxima, two apart, section 3.4


# Figure 2 and section 3.5 of the paper.
_CONVS = (
    _Conv(96, 11, 4, "valid", normalise=True, pool=True),
    _Conv(256, 5, 1, "same", normalise=True, pool=True),
    _Conv(384, 3, 1, "same", normalise=False, pool=False),
    _Conv(384, 3, 1, "same", normalise=False, pool=False),
    _Conv(256, 3, 1, "same", normalise=False, pool=True),
)


def local_response_norm(
    x: Any, bias: float = 2.0, size: int = 5, alpha: float = 1e-4, beta: float = 0.75
) -> Any:
    """Divide each value by `(bias + alpha * sum of squares) ** beta`.

    The sum runs over `size` channels at the same place, of which the value's own is in
    the middle.

    Args:
        x: a KerasTensor or tensor `(batch, height, width, channels)`.
        bias: the paper's k; its values are the defaults.
        size: the paper's n, odd.
        alpha: weight of the sum.
        beta: exponent.

    Reference:
        Krizhevsky et al., 2012, section 3.3
    """
    channels, reach = x.shape[-1], size // 2
    squares = ops.pad(ops.square(x), [(0, 0), (0, 0), (0, 0), (reach, reach)])
    total = sum(squares[..., shift : shift + channels] for shift in range(size))
    return x / (bias + alpha * total) ** beta


def _alexnet(common: Common, response_norm: bool, units: int) -> keras.Model:
    check_positive_int("units", units)

    def body(seeds: Seeds) -> Iterator[Stage]:
        for number, row in enumerate(_CONVS, start=1):
            yield conv(
                row.filters,
                row.kernel,
                f"conv{number}",
                seeds,
                strides=row.strides,
                padding=row.padding,
                activation="relu",
            )
            if response_norm and row.normalise:
                yield Block(f"norm{number}", local_response_norm)
            if row.pool:
                yield layers.MaxPooling2D(3, strides=2, name=f"pool{number}")

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.Flatten(name="flatten")
        for number in (6, 7):
            yield dense(units, f"fc{number}", seeds, activation="relu")
            yield layers.Dropout(0.5, seed=seeds(), name=f"dropout{number}")
        yield dense_softmax(classes, seeds)

    return build_network("alexnet", body, top, common, min_side=67, fixed_top=True)


def alexnet(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (227, 227, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    response_norm: bool = False,
    units: int = 4096,
    seed: int | None = None,
) -> keras.Model:
    """AlexNet: five convolutions and three dense layers.

    The paper splits the second, fourth and fifth convolution over two devices; here, as
    in Dive into Deep Learning, each sees all channels. The paper speaks of 224x224
    images, but its feature maps (55, 27, 13 and 6 pixels wide) come from 227x227.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, 6, 6, 256)` at
    227x227 and `(batch, 5, 5, 256)` at 224x224, or `(batch, 256)` when pooled.
    Parameters: 62,378,344 at the defaults; 3,747,200 without the top.

    Args:
        include_top: end in the dense layers, with Dropout(0.5).
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 67; None works without the top.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        response_norm: divide what the first two convolutions give by that of their
            neighbouring channels, as the paper does and the lesson does not.
        units: of the two dense layers before the last.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://d2l.ai/chapter_convolutional-modern/alexnet.html
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _alexnet(common, response_norm, units)
