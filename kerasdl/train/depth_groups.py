"""Layer groups by depth: the parts that freeze together and share a learning rate."""

import keras
from keras import layers

from kerasdl._layer_walks import leaf_layers
from kerasdl.models import BACKBONES, backbone, head_layers

_PARTS = 3  # of a model that is not in the table


def depth_groups(model: keras.Model) -> list[list[layers.Layer]]:
    """Split the layers of `model` into groups, from the pixels to the output.

    - A trunk of `BACKBONES`, alone or as a nested model: early, middle, late, and what
      follows its feature map, the head, as the last group.
    - Any other model: three parts, its head in the last, with as many layers that have
      weights in each (BatchNorm goes with the layer before it). A model of one or two
      such layers has so many groups.

    Layers of nested models stand in the place of their model. A model with weights of
    its own, such as a class token, stands itself before its layers, for these weights.

    Raises:
        ValueError: `model` is not built.

    Example:
        ```
        [len(group) for group in kd.train.depth_groups(model)]
        ```
    """
    leaves = leaf_layers(model)
    bounds = _table_bounds(model, leaves) or _equal_bounds(leaves)
    edges = [0, *bounds, len(leaves)]
    return [leaves[i:j] for i, j in zip(edges, edges[1:], strict=False)]


def head_of(model: keras.Model) -> list[layers.Layer]:
    """Layers of `model` that are known to be its head; none if there is none."""
    leaves = leaf_layers(model)
    bounds = _table_bounds(model, leaves)
    return leaves[bounds[2] :] if len(bounds) == 3 else head_layers(model)


def _table_bounds(model: keras.Model, leaves: list[layers.Layer]) -> list[int]:
    """Where the groups after the first begin; none if no trunk of the table is here."""
    for part in _models(model):
        if part.name not in BACKBONES:
            continue
        row = backbone(part.name)
        trunk = leaf_layers(part)
        names = [layer.name for layer in trunk]
        if row.middle not in names or row.late not in names:
            continue  # another network of that name
        starts = [trunk[names.index(name)] for name in (row.middle, row.late)]
        bounds = [leaves.index(layer) for layer in starts]
        if part is model:
            last = max(i for i, layer in enumerate(trunk) if _gives_feature_map(layer))
        else:
            last = leaves.index(trunk[-1])
        return [*bounds, last + 1] if last + 1 < len(leaves) else bounds
    return []


def _equal_bounds(leaves: list[layers.Layer]) -> list[int]:
    norm = layers.BatchNormalization
    starts = [
        index
        for index, layer in enumerate(leaves)
        if layer.weights and not isinstance(layer, norm)
    ]
    parts = min(_PARTS, len(starts))
    return [starts[len(starts) * part // parts] for part in range(1, parts)]


def _models(model: keras.Model) -> list[keras.Model]:
    """`model` and those nested in it."""
    nested = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return [model, *(part for layer in nested for part in _models(layer))]


def _gives_feature_map(layer: layers.Layer) -> bool:
    outputs = keras.tree.flatten(getattr(layer, "output", None))
    return any(output is not None and len(output.shape) == 4 for output in outputs)
