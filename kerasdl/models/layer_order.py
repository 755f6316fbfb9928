"""The layers of a model in order, those of the models inside it among them."""

from collections.abc import Iterator

import keras


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
        for inner in layer._layers:
            yield from layers_in_order(inner, seen)


def direct_weights(layer: keras.Layer) -> list[keras.Variable]:
    """The weights of `layer` itself, without those of the layers in it."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]
