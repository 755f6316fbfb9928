"""RoIAlign as two matrix products, which every format has."""

from typing import Any

import numpy as np
from keras import ops


def roi_align(features: Any, boxes: Any, size: int, stride: float = 1.0) -> Any:
    """Sample a grid within each box, bilinearly, at the middles of its squares.

    Args:
        features: `(batch, rows, columns, channels)`.
        boxes: x1 y1 x2 y2 in pixels of the picture, `(batch, n, 4)`.
        size: squares of a side of the grid.
        stride: pixels of the picture for one of `features`.

    Returns:
        `(batch, n, size, size, channels)`; beyond the edges of `features` as there.

    Reference:
        He et al., 2017, Mask R-CNN, https://arxiv.org/abs/1703.06870, section 3, with
        one sample a square.
    """
    rows, columns, channels = features.shape[1:]
    count = boxes.shape[1]
    down = _weights(boxes[..., 1], boxes[..., 3], size, rows, stride)
    across = _weights(boxes[..., 0], boxes[..., 2], size, columns, stride)
    flat = ops.reshape(features, (-1, rows, columns * channels))
    sampled = ops.matmul(ops.reshape(down, (-1, count * size, rows)), flat)
    sampled = ops.reshape(sampled, (-1, count, size, columns, channels))
    sampled = ops.transpose(sampled, (0, 1, 3, 2, 4))
    sampled = ops.reshape(sampled, (-1, count, columns, size * channels))
    found = ops.matmul(across, sampled)  # (batch, n, across, down * channels)
    found = ops.reshape(found, (-1, count, size, size, channels))
    return ops.transpose(found, (0, 1, 3, 2, 4))


def _weights(low: Any, high: Any, size: int, length: int, stride: float) -> Any:
    """How much places of an axis count for squares, `(batch, n, size, length)`.

    A triangle about the middle of the square, which is bilinear sampling.
    """
    steps = (np.arange(size, dtype="float32") + 0.5) / size
    low, high = ops.expand_dims(low, -1), ops.expand_dims(high, -1)
    middles = (low + (high - low) * steps) / stride - 0.5  # in centres of places
    middles = ops.clip(middles, 0.0, float(length - 1))
    places = np.arange(length, dtype="float32")
    return ops.relu(1.0 - ops.abs(ops.expand_dims(middles, -1) - places))


def cropped_masks(masks: Any, boxes: Any, size: int, stride: float) -> Any:
    """`roi_align` of boxes each of which has a map of its own, of one channel.

    Args:
        masks: `(batch, n, rows, columns)`.
        boxes: x1 y1 x2 y2 in pixels of the picture, `(batch, n, 4)`.
        size: squares of a side of the grid.
        stride: pixels of the picture for one of `masks`.

    Returns:
        `(batch, n, size, size)`.
    """
    rows, columns = masks.shape[2:]
    down = _weights(boxes[..., 1], boxes[..., 3], size, rows, stride)
    across = _weights(boxes[..., 0], boxes[..., 2], size, columns, stride)
    return ops.matmul(ops.matmul(down, masks), ops.transpose(across, (0, 1, 3, 2)))


def pasted_masks(masks: Any, boxes: Any, size: tuple[int, int], stride: float) -> Any:
    """Put grids of values where their boxes lie: `roi_align` the other way round.

    Args:
        masks: `(batch, n, side, side)`.
        boxes: x1 y1 x2 y2 in pixels of the picture, `(batch, n, 4)`.
        size: (rows, columns) of the result.
        stride: pixels of the picture for one of the result.

    Returns:
        `(batch, n, rows, columns)`; beyond a box the values of its edge go on.
    """
    side = masks.shape[2]
    down = _places(boxes[..., 1], boxes[..., 3], side, size[0], stride)
    across = _places(boxes[..., 0], boxes[..., 2], side, size[1], stride)
    return ops.matmul(ops.matmul(down, masks), ops.transpose(across, (0, 1, 3, 2)))


def _places(low: Any, high: Any, side: int, length: int, stride: float) -> Any:
    """How much squares count for places of an axis, `(batch, n, length, side)`."""
    middles = (np.arange(length, dtype="float32") + 0.5) * stride
    low, high = ops.expand_dims(low, -1), ops.expand_dims(high, -1)
    wide = ops.maximum(high - low, 1e-3)
    squares = ops.subtract(middles, low) / wide * side - 0.5
    squares = ops.clip(squares, 0.0, float(side - 1))
    own = np.arange(side, dtype="float32")
    return ops.relu(1.0 - ops.abs(ops.expand_dims(squares, -1) - own))
