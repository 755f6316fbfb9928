"""Callbacks as Keras's own `fit` takes them: one, several or none."""

from collections.abc import Sequence

import keras

Callbacks = Sequence[keras.callbacks.Callback]
Given = Callbacks | keras.callbacks.Callback | None


def given_callbacks(callbacks: Given) -> list[keras.callbacks.Callback]:
    """`callbacks` as a list.

    Raises:
        ValueError: something else is among them, such as a class.
    """
    if callbacks is None:
        return []
    several = isinstance(callbacks, Sequence) and not isinstance(callbacks, str)
    found = list(callbacks) if several else [callbacks]
    for one in found:
        if not isinstance(one, keras.callbacks.Callback):
            fix = f". Make one: {one.__name__}()" if isinstance(one, type) else ""
            raise ValueError(
                f"`callbacks` must be Keras callbacks. Received: {one!r:.80}{fix}"
            )
    return found
