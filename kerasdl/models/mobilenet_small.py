"""A MobileNet for images of 32x32 pixels: the pattern of the paper, less deep.

Howard et al., 2017, https://arxiv.org/abs/1704.04861: depthwise separable convolutions,
twice the filters after each halving. The first convolution keeps the size.
"""

from collections.abc import Iterator
from pathlib import Path

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import bare_conv, check_alpha, dense_softmax
from ._network import Common, build_network
from ._stages import Stage
from .heads import check_dropout
from .mobilenet_v1 import BLOCKS, depthwise_separable, norm_relu6

YEAR = 2017

_STEM_FILTERS = 32
_BLOCKS = BLOCKS[:7]  # of 64 to 512 filters


def _mobilenet_small(common: Common, alpha: float, dropout: float) -> keras.Model:
    check_alpha(alpha)
    check_dropout(dropout)

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield bare_conv(int(_STEM_FILTERS * alpha), 3, "conv1", seeds)
        yield from norm_relu6("conv1")
        for number, (filters, strides) in enumerate(_BLOCKS, start=1):
            names = f"conv_dw_{number}", f"conv_pw_{number}"
            yield from depthwise_separable(
                int(filters * alpha), strides, names=names, seed=seeds
            ).layers

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.GlobalAveragePooling2D(name="avg_pool")
        yield layers.Dropout(dropout, seed=seeds(), name="dropout")
        yield dense_softmax(classes, seeds)

    return build_network("mobilenet_small", body, top, common, min_side=1)


def mobilenet_small(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (32, 32, 3),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    alpha: float = 1.0,
    dropout: float = 0.2,
    seed: int | None = None,
) -> keras.Model:
    """A MobileNet for CIFAR-10: a convolution and seven depthwise separable ones.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 8,
    width / 8, 512)`, rounded up, or `(batch, 512)` when pooled.
    Parameters: 549,578 at the defaults; 544,448 without the top.

    Args:
        include_top: end in averages, dropout and a dense layer.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: any height and width, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        alpha: width multiplier of all layers.
        dropout: fraction in [0, 1) before the last layer.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1704.04861
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _mobilenet_small(common, alpha, dropout)
