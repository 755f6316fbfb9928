"""The small Inception for CIFAR-10 of Zhang, Bengio, Hardt, Recht & Vinyals, 2016.

Understanding deep learning requires rethinking generalization,
https://arxiv.org/abs/1611.03530, figure 3 and appendix A.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
from keras import initializers, layers

from ._blocks import Block, Seeds, Stage, conv, dense_softmax, run
from ._network import build_network

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

    def unit(
        filters: int, kernel: int, name: str, seeds: Seeds, strides: int = 1
    ) -> Iterator[Stage]:
        yield conv(
            filters,
            kernel,
            name,
            seeds,
            strides=strides,
            use_bias=not batch_norm,
            initializer=initializers.HeNormal,
        )
        if batch_norm:
            yield layers.BatchNormalization(scale=False, name=f"{name}_bn")
        yield layers.ReLU(name=f"{name}_relu")

    def module(name: str, filters: tuple[int, ...], seeds: Seeds) -> Block:
        def function(x: Any) -> Any:
            if len(filters) == 2:
                paths = [
                    unit(filters[0], 1, f"{name}_1x1", seeds),
                    unit(filters[1], 3, f"{name}_3x3", seeds),
                ]
            else:
                pool = layers.MaxPooling2D(
                    3, strides=2, padding="same", name=f"{name}_pool"
                )
                paths = [unit(*filters, 3, f"{name}_3x3", seeds, strides=2), [pool]]
            sides = [run(stages, x) for stages in paths]
            return layers.Concatenate(name=f"{name}_concat")(sides)

        return Block(name, function)

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from unit(_STEM_FILTERS, 3, "conv1", seeds)
        for name, filters in _MODULES.items():
            yield module(name, filters, seeds)

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.GlobalAveragePooling2D(name="avg_pool")
        yield dense_softmax(classes, seeds)

    return build_network(
        "inception_small",
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
        min_side=1,
    )
