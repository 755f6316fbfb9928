"""Overlaps and codes of boxes, as ops of Keras: x1 y1 x2 y2 in the last axis.

`keras.utils.bounding_boxes` has pairwise IoU too; its sum of two areas as a row and a
column is what the TFLite converter fails on behind a convolution, hence the difference
here. Of GIoU Keras has none.
"""

from typing import Any

from keras import ops

_SMALL = 1e-7


def area(boxes: Any) -> Any:
    """Areas of boxes `(..., 4)`; 0 of those that are turned inside out."""
    return ops.prod(ops.relu(boxes[..., 2:] - boxes[..., :2]), axis=-1)


def pairwise_iou(boxes: Any, others: Any) -> Any:
    """Share of common area of each of `(..., n, 4)` with each of `(..., m, 4)`.

    Returns:
        `(..., n, m)` in [0, 1].
    """
    # Axis by axis: on a last axis of two TFLite spends twice the time.
    width, height = (_common_side(boxes, others, axis) for axis in (0, 1))
    common = width * height
    own, other = area(boxes), area(others)
    union = ops.expand_dims(own, -1) - (common - ops.expand_dims(other, -2))
    return common / ops.maximum(union, _SMALL)


def _common_side(boxes: Any, others: Any, axis: int) -> Any:
    """Length that two boxes have in common, along x (0) or y (1)."""
    begin = ops.maximum(
        ops.expand_dims(boxes[..., axis], -1), ops.expand_dims(others[..., axis], -2)
    )
    end = ops.minimum(
        ops.expand_dims(boxes[..., axis + 2], -1),
        ops.expand_dims(others[..., axis + 2], -2),
    )
    return ops.relu(end - begin)


def iou_and_giou(boxes: Any, others: Any) -> tuple[Any, Any]:
    """IoU and generalised IoU of boxes `(..., 4)`, one by one.

    Returns:
        `(...)` in [0, 1], and in [-1, 1]: less by the share of the box around both that
        is in neither.

    Reference:
        Rezatofighi et al., 2019, https://arxiv.org/abs/1902.09630, algorithm 1
    """
    low = ops.maximum(boxes[..., :2], others[..., :2])
    high = ops.minimum(boxes[..., 2:], others[..., 2:])
    common = ops.prod(ops.relu(high - low), axis=-1)
    union = area(boxes) + area(others) - common
    around_low = ops.minimum(boxes[..., :2], others[..., :2])
    around_high = ops.maximum(boxes[..., 2:], others[..., 2:])
    around = ops.prod(ops.relu(around_high - around_low), axis=-1)
    iou = common / ops.maximum(union, _SMALL)
    return iou, iou - (around - union) / ops.maximum(around, _SMALL)
