"""What Keras copies or writes of a model, without what it was compiled with."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from kerasdl._layer_walks import layers_in_order


@contextmanager
def uncompiled(model: keras.Model) -> Iterator[None]:
    """Let Keras take `model`, and the models in it, for not compiled.

    It compiles a copy like the original, and fails for losses, metrics and optimizers
    that are not registered.
    """
    compiled = [p for p in layers_in_order(model) if getattr(p, "compiled", False)]
    for part in compiled:
        part.compiled = False
    try:
        yield
    finally:
        for part in compiled:
            part.compiled = True
