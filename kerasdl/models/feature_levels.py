"""Feature maps of a trunk at each stride, as FPN and U-Net take them."""

import math
from typing import Any

import keras
from keras import layers

from kerasdl._keras_internals import nodes_of

_ACTIVATIONS = (
    layers.ReLU,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
    layers.Concatenate,
)


def feature_levels(trunk: keras.Model) -> dict[int, keras.Layer]:
    """The layer that gives the last activation at each stride, found by shapes.

    One that all of the network goes through is taken before one of a branch; joined
    branches, as of an Inception block, count as an activation. Side branches, such as
    those of squeeze-and-excitation, do not count; nor do strides that `trunk` passes
    without an activation. The last level is the output of `trunk` where no activation
    follows its last pooling, as in VGG. So `keras.Model(trunk.input, [layer.output for
    layer in levels.values()])` gives all levels.

    Args:
        trunk: takes images of a fixed size, and returns a feature map; a graph of
            layers, such as `build_trunk` returns.

    Returns:
        Layers by stride, from the finest on, such as 2, 4, 8, 16, 32.

    Raises:
        ValueError: `trunk` is no such network.

    Reference:
        Lin et al., 2017, Feature Pyramid Networks, https://arxiv.org/abs/1612.03144,
        section 3: the output of the last layer of each stage.
    """
    tensors = [*(trunk.inputs or ()), *(trunk.outputs or ())]
    shapes: list[Any] = [_shape(tensor) for tensor in tensors]
    if len(shapes) != 2 or not all(shapes):
        raise ValueError(
            "`trunk` must take images of a fixed size and return a feature map. "
            f"Received: trunk={trunk.name!r}, whose inputs and outputs have shapes "
            f"{[tuple(tensor.shape) for tensor in tensors]}"
        )
    maps = [(layer, _shape(getattr(layer, "output", None))) for layer in trunk.layers]
    maps = [
        (layer, math.prod(shape))
        for layer, shape in maps
        if shape and not isinstance(layer, layers.ZeroPadding2D)
    ]
    whole = _passed_by_all(trunk)
    found: dict[int, keras.Layer] = {}
    stride, size = 1, math.prod(shapes[0])
    for place, (layer, own) in enumerate(maps):
        # A level has half the side of the one before, or 2 pixels of 3: two thirds tell
        # them apart, of areas four ninths. What grows again was a side branch.
        if any(9 * own < 4 * later for _, later in maps[place + 1 :]):
            continue
        if 9 * own <= 4 * size:
            stride *= 2 ** max(round(math.log2(size / own) / 2), 1)
            size = own
        if _is_activation(layer) and (layer in whole or found.get(stride) not in whole):
            found[stride] = layer
    last = next(layer for layer, _ in maps if layer.output is tensors[1])
    return found | {stride: found.get(stride, last)}


def _passed_by_all(trunk: keras.Model) -> list[keras.Operation]:
    """The layers that no way through `trunk` passes by, in order."""
    operations = trunk.operations
    places = {id(operation): place for place, operation in enumerate(operations)}
    last_read: dict[int, int] = {}
    for node in nodes_of(trunk):
        for tensor in node.input_tensors:
            at = places[id(node.operation)]
            last_read[id(tensor)] = max(at, last_read.get(id(tensor), 0))
    found, reach = [], 0
    for place, operation in enumerate(operations):
        if reach <= place:
            found.append(operation)
        for tensor in keras.tree.flatten(operation.output):
            reach = max(reach, last_read.get(id(tensor), 0))
    return found


def _shape(tensor: object) -> tuple[int, int] | None:
    """Height and width of a tensor of feature maps that are known."""
    shape = getattr(tensor, "shape", ())
    return shape[1:3] if len(shape) == 4 and None not in shape[1:3] else None


def _is_activation(layer: keras.Layer) -> bool:
    linear = (None, keras.activations.linear)
    has_own = getattr(layer, "activation", None) not in linear
    return has_own or isinstance(layer, _ACTIVATIONS)
