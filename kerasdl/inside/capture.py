"""What one layer of a model, nested or not, takes and gives while the model runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl._keras_internals import logits_of
from kerasdl._layer_walks import unnested_layers

Call = tuple[Any, Any]  # input and output tensor of a layer


def map_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Layers of `model`, nested ones too, that give feature maps, in order.

    That is `(batch, height, width, channels)` of more than one place, so that a pooling
    that keeps its axes is none.
    """
    found = []
    for layer in unnested_layers(model):
        shape = getattr(getattr(layer, "output", None), "shape", ())
        is_input = isinstance(layer, keras.layers.InputLayer)
        if len(shape) == 4 and tuple(shape[1:3]) != (1, 1) and not is_input:
            found.append(layer)
    return found


def find_map_layer(model: keras.Model, name: str) -> keras.layers.Layer:
    """Return the layer `name` of `model` or of a nested model.

    Raises:
        ValueError: there is none of that name that gives feature maps, or several.
    """
    layers = map_layers(model)
    found = [layer for layer in layers if layer.name == name]
    if len(found) != 1:
        raise ValueError(
            "`layer` must name one layer that gives feature maps. Received: "
            f"layer={name!r} ({len(found)} of that name). There are: "
            f"{', '.join(layer.name for layer in layers)}"
        )
    return found[0]


@contextmanager
def captured(layer: keras.layers.Layer) -> Iterator[list[Call]]:
    """Collect input and output of `layer` each time it is called inside the block.

    The layer itself reports, as a graph of its own would need the layers of a nested
    model to be called anew. A gradient tape around the call watches the output.
    """
    calls: list[Call] = []
    call = layer.call

    def report(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        outputs = call(inputs, *args, **kwargs)
        calls.append((inputs, outputs))
        return outputs

    layer.call = report
    try:
        yield calls
    finally:
        del layer.call


def run_captured(
    model: keras.Model, layer: keras.layers.Layer, images: np.ndarray | tf.Tensor
) -> tuple[Any, Any, Any]:
    """Run `model` on `images`; return the layer's input and output, and the scores.

    Scores are the model's outputs before a softmax or sigmoid that ends it. They are
    differentiable with respect to the layer's output on a tape around the call.

    Raises:
        ValueError: the layer does not see each image once.
    """
    with captured(layer) as calls:
        outputs = model(images, training=False)
    if len(calls) != 1 or calls[0][1].shape[0] != images.shape[0]:
        raise ValueError(
            "`layer` must see each picture once. Received: "
            f"layer={layer.name!r} ({len(calls)} calls for one of the model)"
        )
    # Keras keeps what a softmax or sigmoid was given, for its own losses. Behind a
    # saturated one there would be no gradient.
    return *calls[0], logits_of(outputs)
