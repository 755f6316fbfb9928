"""What networks that translate begin with."""

import keras
from keras import ops

from .subwords import PAD


def inputs_of_pairs() -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Ids of the source, and of what is translated so far."""
    return tuple(
        keras.Input((None,), dtype="int32", name=name) for name in ("source", "target")
    )


def is_there(ids: keras.KerasTensor) -> keras.KerasTensor:
    """True for pieces, False for padding."""
    return ops.not_equal(ids, PAD)
