"""LeNet-5, as the lesson of Dive into Deep Learning builds it.

LeCun, Bottou, Bengio & Haffner, 1998, Gradient-based learning applied to document
recognition, figure 2; Dive into Deep Learning, section 7.6.
"""

from collections.abc import Iterator
from pathlib import Path

import keras
from keras import layers

from kerasdl._checks import check_one_of
from kerasdl._seeds import Seeds

from ._blocks import conv, dense, dense_softmax
from ._network import Common, build_network
from ._stages import Stage

YEAR = 1998

# Figure 2 of the paper; each convolution is followed by a 2x2 subsampling.
# layer, filters of 5x5, padding
_CONVS = (
    ("1", 6, "same"),
    ("2", 16, "valid"),
)
_DENSE = (("3", 120), ("4", 84))
_SUBSAMPLING = {"avg": layers.AveragePooling2D, "max": layers.MaxPooling2D}


def _lenet5(
    common: Common, activation: str, subsampling: str, batch_norm: bool
) -> keras.Model:
    check_one_of("activation", activation, ("sigmoid", "tanh", "relu"))
    check_one_of("subsampling", subsampling, _SUBSAMPLING)
    # Another name, so that weights beside a BatchNorm are not taken for those without.
    prefix = "bn_conv" if batch_norm else "conv"

    def activate(number: str) -> Iterator[Stage]:
        if batch_norm:
            yield layers.BatchNormalization(name=f"bn{number}")
        yield layers.Activation(activation, name=f"activation{number}")

    def body(seeds: Seeds) -> Iterator[Stage]:
        for number, filters, padding in _CONVS:
            yield conv(filters, 5, f"{prefix}{number}", seeds, padding=padding)
            yield from activate(number)
            yield _SUBSAMPLING[subsampling](2, name=f"pool{number}")

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.Flatten(name="flatten")
        for number, units in _DENSE:
            yield dense(units, f"dense{number}", seeds)
            yield from activate(number)
        yield dense_softmax(classes, seeds)

    return build_network("lenet5", body, top, common, min_side=12, fixed_top=True)


def lenet5(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 1),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    activation: str = "sigmoid",
    subsampling: str | None = None,
    batch_norm: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """LeNet-5: two 5x5 convolutions and three dense layers.

    The paper pads 28x28 images to 32x32, here the first convolution does. As in the
    lesson, a softmax stands in the place of the paper's Gaussian units, and every map
    of the second convolution sees all of the first.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, 5, 5, 16)` at
    28x28, or `(batch, 16)` when pooled.
    Parameters: 61,706 at the defaults; 2,572 without the top.

    Args:
        include_top: end in the dense layers.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: height and width of at least 12; None works without the top.
        pooling: `None`, `"avg"` or `"max"`: without the top of the feature map, as in
            Keras; with the top what `subsampling` is.
        classes: at least 2.
        build: `"functional"` or `"sequential"`.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        activation: after each layer but the last: `"sigmoid"`, `"tanh"` or `"relu"`.
        subsampling: after each convolution, `"avg"` or `"max"`; None is `"avg"`, or
            `pooling` with the top.
        batch_norm: normalise before each activation.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://d2l.ai/chapter_convolutional-neural-networks/lenet.html

    Example:
        ```
        kd.models.lenet5(seed=1).count_params()  # 61,706
        ```
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    if subsampling is None:
        subsampling = pooling if include_top and pooling in _SUBSAMPLING else "avg"
    return _lenet5(common, activation, subsampling, batch_norm)
