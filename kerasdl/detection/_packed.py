"""Raw answers and something else in one tensor: Keras gives a loss one of answers."""

from collections.abc import Sequence
from math import prod
from typing import Any

from keras import layers, ops


def packed(raw: Any, others: Any) -> Any:
    """Raw answers `(batch, places, n)` and, in rows below them, the values of others.

    Args:
        raw: answers.
        others: `(batch, ...)` of a fixed shape.
    """
    width, values = raw.shape[2], prod(others.shape[1:])
    missing = -values % width
    flat = ops.pad(ops.reshape(others, (-1, values)), ((0, 0), (0, missing)))
    rows = ops.reshape(flat, (-1, (values + missing) // width, width))
    return layers.Concatenate(axis=1, name="raw_masks", dtype="float32")([raw, rows])


def unpacked(answers: Any, shape: Sequence[int]) -> tuple[Any, Any]:
    """Raw answers, and the others `(batch, *shape)`, of `packed`."""
    width, values = answers.shape[2], prod(shape)
    rows = -(-values // width)
    flat = ops.reshape(answers[:, -rows:], (-1, rows * width))[:, :values]
    return answers[:, :-rows], ops.reshape(flat, (-1, *shape))
