"""The layers of a model in order, those of the models inside it among them."""

from collections.abc import Iterator

import keras

from ._keras_internals import inner_layers, non_trainable_of, trainable_of


def layers_in_order(
    layer: keras.Layer, seen: set[int] | None = None
) -> Iterator[keras.Layer]:
    """`layer` and all in it, each once: Keras's own walk turns inner models round.

    Args:
        layer: a layer or a model, built.
        seen: ids of layers to leave out; those that are yielded are added.
    """
    seen = set() if seen is None else seen
    if id(layer) not in seen:
        seen.add(id(layer))
        yield layer
        for inner in inner_layers(layer):
            yield from layers_in_order(inner, seen)


def direct_weights(layer: keras.Layer) -> list[keras.Variable]:
    """The weights of `layer` itself, without those of the layers in it."""
    return [*trainable_of(layer), *non_trainable_of(layer)]


def unnested_layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Layers of `model`, each nested model replaced by its layers."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from unnested_layers(layer)
        else:
            yield layer


def leaf_layers(model: keras.Model) -> list[keras.Layer]:
    """Layers of `model` in order, each once, those of nested models among them.

    A model with weights of its own is among them too, before its layers: see
    `own_weights`.

    Raises:
        ValueError: `model` is not built.
    """
    if not model.built:
        raise ValueError(
            f"`model` must be built. Received: model={model.name!r} without weights. "
            "Call it on a batch first, or begin it with `keras.Input`."
        )
    leaves = {id(model): model} if own_weights(model) else {}
    for layer in model.layers:
        nested = isinstance(layer, keras.Model)
        for leaf in leaf_layers(layer) if nested else [layer]:
            leaves[id(leaf)] = leaf
    return list(leaves.values())


def own_layers(leaf: keras.Layer) -> list[keras.Layer]:
    """One of `leaf_layers` and the layers in it; a model's are leaves themselves."""
    return [leaf] if isinstance(leaf, keras.Model) else [*layers_in_order(leaf)]


def own_weights(leaf: keras.Layer) -> list[keras.Variable]:
    """The weights that one of `leaf_layers` stands for."""
    if isinstance(leaf, keras.Model):
        return direct_weights(leaf)
    return leaf.weights
