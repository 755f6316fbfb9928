"""A method of one layer that stands before the one of its class."""

from collections.abc import Callable
from types import MethodType
from typing import Any

import keras


def own_method(
    model: keras.Model, layer: keras.Layer, name: str, method: Callable[..., Any]
) -> None:
    """Let `layer` of `model` call `method`, once, where its class has `name`."""
    if name in vars(layer):
        return
    # Not by Keras's own `__setattr__`: it is not part of the layer's state.
    object.__setattr__(layer, name, MethodType(method, layer))
    model.train_function = None  # traced before
