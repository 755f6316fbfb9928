"""A model made again of layers of its own, with the weights of the first."""

import keras

from kerasdl._layer_walks import direct_weights, layers_in_order

from .copying import copy_in_order
from .uncompiled import uncompiled


def clone(model: keras.Model, pixels: keras.KerasTensor | None = None) -> keras.Model:
    """Make `model` again, not compiled, with its names, weights and `trainable` flags.

    Args:
        model: functional or Sequential.
        pixels: its input; None makes one like that of `model`.

    Raises:
        ValueError: a layer does not take `pixels`, or cannot be made again as it is.
    """
    with uncompiled(model):
        made = keras.models.clone_model(model, input_tensors=pixels)
    copy_in_order(model, made)
    # From the outside inwards: a model sets what is in it too.
    for before, after in zip(
        layers_in_order(model), layers_in_order(made), strict=True
    ):
        after.trainable = before.trainable
        weights = zip(direct_weights(before), direct_weights(after), strict=True)
        for weight, copy in weights:
            copy.trainable = weight.trainable
    return made
