"""A VGG for images of 32x32 pixels: the pattern of the paper, with BatchNorm.

Simonyan & Zisserman, 2014, https://arxiv.org/abs/1409.1556: pairs of 3x3 convolutions,
twice the filters after each halving.
"""

from collections.abc import Iterator
from pathlib import Path

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import check_ratio, conv, dense, dense_softmax
from ._network import Common, build_network
from ._stages import Stage
from .heads import check_dropout

YEAR = 2014

_FILTERS = (64, 128, 256)  # of the two convolutions in each stage
_UNITS = 256


def _vgg_small(common: Common, ratio: int, dropout: float) -> keras.Model:
    check_ratio(ratio, _FILTERS)
    check_dropout(dropout)

    def body(seeds: Seeds) -> Iterator[Stage]:
        for stage, filters in enumerate(_FILTERS, start=1):
            for number in (1, 2):
                suffix = f"{stage}_{number}"
                yield conv(filters // ratio, 3, f"conv{suffix}", seeds, use_bias=False)
                yield layers.BatchNormalization(name=f"bn{suffix}")
                yield layers.ReLU(name=f"relu{suffix}")
            yield layers.MaxPooling2D(2, name=f"pool{stage}")

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.Flatten(name="flatten")
        yield dense(_UNITS, "dense", seeds, activation="relu")
        yield layers.Dropout(dropout, seed=seeds(), name="dropout")
        yield dense_softmax(classes, seeds)

    return build_network("vgg_small", body, top, common, min_side=8, fixed_top=True)


def vgg_small(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (32, 32, 3),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    ratio: int = 1,
    dropout: float = 0.5,
    seed: int | None = None,
) -> keras.Model:
    """A VGG for CIFAR-10: six 3x3 convolutions with BatchNorm and two dense layers.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height // 8,
    width // 8, 256)`, or `(batch, 256)` when pooled.
    Parameters: 2,199,498 at the defaults; 1,148,096 without the top.

    Args:
        include_top: end in the dense layers.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 8; None works without the top.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        ratio: divides the filters of every convolution, at most 64.
        dropout: fraction in [0, 1) before the last layer.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1409.1556; https://arxiv.org/abs/1502.03167
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _vgg_small(common, ratio, dropout)
