"""What networks that translate begin with."""

import keras
import numpy as np
from keras import ops

from .subwords import PAD


class Seeds:
    """A seed for each layer, made of one; None where that is None."""

    def __init__(self, seed: int | None) -> None:
        self._draws = None if seed is None else np.random.default_rng(seed)

    def __call__(self) -> int | None:
        """The next."""
        return None if self._draws is None else int(self._draws.integers(2**31))


def inputs_of_pairs() -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Ids of the source, and of what is translated so far."""
    return tuple(
        keras.Input((None,), dtype="int32", name=name) for name in ("source", "target")
    )


def is_there(ids: keras.KerasTensor) -> keras.KerasTensor:
    """True for pieces, False for padding."""
    return ops.not_equal(ids, PAD)
