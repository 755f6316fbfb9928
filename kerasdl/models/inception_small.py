"""The small Inception for CIFAR-10 of Zhang, Bengio, Hardt, Recht & Vinyals, 2016.

Understanding deep learning requires rethinking generalization,
https://arxiv.org/abs/1611.03530, figure 3 and appendix A.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import conv_norm_relu
from ._network import Common, build_network
from ._resnet_parts import pooled_top
from ._stages import Block, Stage, run

YEAR = 2016

# Figure 3 of the paper. An Inception module has filters of 1x1 and of 3x3; a
# downsampling one has filters of 3x3, beside 3x3 maxima, both two apart.
_STEM_FILTERS = 96
_MODULES = {
    "inception1": (32, 32),
    "inception2": (32, 48),
    "downsample1": (80,),
    "inception3": (112, 48),
    "inception4": (96, 64),
    "inception5": (80, 80),
    "inception6": (48, 96),
    "downsample2": (96,),
    "inception7": (176, 160),
    "inception8": (176, 160),
}


def _module(
    name: str, filters: tuple[int, ...], unit: Callable[..., Iterator[Stage]]
) -> Block:
    """Paths of 1x1 and of 3x3 side by side; of 3x3 and of maxima where it halves."""

    def function(x: Any) -> Any:
        if len(filters) == 2:
            one, three = filters
            paths = [unit(one, 1, f"{name}_1x1"), unit(three, 3, f"{name}_3x3")]
        else:
            pool = layers.MaxPooling2D(
                3, strides=2, padding="same", name=f"{name}_pool"
            )
            paths = [unit(*filters, 3, f"{name}_3x3", strides=2), [pool]]
        sides = [run(stages, x) for stages in paths]
        return layers.Concatenate(name=f"{name}_concat")(sides)

    return Block(name, function)


def _inception_small(common: Common, batch_norm: bool) -> keras.Model:
    def body(seeds: Seeds) -> Iterator[Stage]:
        unit = partial(conv_norm_relu, seeds=seeds, batch_norm=batch_norm, scale=False)
        yield from unit(_STEM_FILTERS, 3, "conv1")
        for name, filters in _MODULES.items():
            yield _module(name, filters, unit)

    return build_network("inception_small", body, pooled_top, common, min_side=1)


def inception_small(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 3),
    pooling: str | None = None,
    classes: int = 10,
    *,
    build: str = "functional",
    pixels: str | None = None,
    batch_norm: bool = True,
    seed: int | None = None,
) -> keras.Model:
    """A small Inception for CIFAR-10: eight modules of two paths, two that halve.

    The paper crops the 32x32 images to their central 28x28; both sizes work.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 4,
    width / 4, 336)`, rounded up, or `(batch, 336)` when pooled.
    Parameters: 1,652,826 at the defaults, of which 1,649,402 are trained, as in the
    paper's table 1; without BatchNorm 1,649,402; without the top 1,649,456.

    Args:
        include_top: end in averages and a dense layer.
        weights: None for random ones, or a path (see `load_weights`).
        input_shape: any height and width, or None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`, where a module is a model.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        batch_norm: normalise before each activation. It shifts and does not scale: a
            ReLU and weights follow.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1611.03530, figure 3
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _inception_small(common, batch_norm)
