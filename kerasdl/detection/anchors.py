"""Anchors: boxes of fixed sizes about every place, and what they answer for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from .boxes import pairwise_iou

# 4 strides times 2 ** (0, 1/3, 2/3), in three shapes.
SCALES = (4.0, 4 * 2 ** (1 / 3), 4 * 2 ** (2 / 3))
RATIOS = (0.5, 1.0, 2.0)
_MOST = float(np.log(1000 / 16))  # of the logarithm of a side by its anchor's


def level_anchors(
    rows: int,
    columns: int,
    stride: int,
    scales: Sequence[float] = SCALES,
    ratios: Sequence[float] = RATIOS,
) -> np.ndarray:
    """Anchors about the middles of a level's squares.

    Args:
        rows: of the level.
        columns: of the level.
        stride: pixels between two squares.
        scales: roots of the areas, in strides.
        ratios: heights by widths.

    Returns:
        x1 y1 x2 y2 in pixels, float32 `(rows * columns * scales * ratios, 4)`: place
        after place, the ratios of a scale together.
    """
    sides = [
        (scale * stride / ratio**0.5, scale * stride * ratio**0.5)
        for scale in scales
        for ratio in ratios
    ]
    y, x = np.mgrid[:rows, :columns]
    middles = (np.stack([x, y], axis=-1) + 0.5).reshape(-1, 1, 2) * stride
    halves = np.array(sides) / 2
    corners = np.concatenate([middles - halves, middles + halves], axis=-1)
    return corners.reshape(-1, 4).astype("float32")


def encode(boxes: Any, anchors: Any) -> Any:
    """How boxes `(..., 4)` differ from anchors: x y of the middle, logarithms of sides.

    Reference:
        Ren et al., 2015, https://arxiv.org/abs/1506.01497, equation 2
    """
    sides, own = boxes[..., 2:] - boxes[..., :2], anchors[..., 2:] - anchors[..., :2]
    moved = (boxes[..., :2] + boxes[..., 2:] - anchors[..., :2] - anchors[..., 2:]) / 2
    return ops.concatenate([moved / own, ops.log(sides / own)], axis=-1)


def decode(codes: Any, anchors: Any) -> Any:
    """The boxes of `encode`; sides at most 62.5 times their anchor's."""
    own = anchors[..., 2:] - anchors[..., :2]
    middles = codes[..., :2] * own + (anchors[..., :2] + anchors[..., 2:]) / 2
    halves = ops.exp(ops.minimum(codes[..., 2:], _MOST)) * own / 2
    return ops.concatenate([middles - halves, middles + halves], axis=-1)


def assign_anchors(
    anchors: Any, boxes: Any, labels: Any, low: float = 0.4, high: float = 0.5
) -> tuple[Any, Any, Any]:
    """Give each anchor of each picture the object that it answers for.

    It answers for the object it overlaps most, if their IoU is `high`; and the best
    anchor of an object answers for it whatever their IoU.

    Args:
        anchors: `(batch, anchors, 4)`.
        boxes: of the objects, `(batch, objects, 4)`.
        labels: `(batch, objects)`; below 0 is no object.
        low: IoU below which an anchor shall find nothing.
        high: IoU from which on it shall find the object.

    Returns:
        Numbers of objects, `(batch, anchors)` int32; whether an anchor answers; whether
        it counts nothing, as its IoU is between.

    Reference:
        Lin et al., 2017, https://arxiv.org/abs/1708.02002, section 4
    """
    is_object = ops.expand_dims(labels >= 0, 1)
    overlaps = ops.where(is_object, pairwise_iou(anchors, boxes), -1.0)
    best_of_object = ops.max(overlaps, axis=1, keepdims=True)
    is_best = (overlaps >= best_of_object) & (overlaps > 0)
    # An anchor that is the best of an object answers for that, not for its own best.
    ranked = ops.where(is_best, overlaps + 2.0, overlaps)
    number, best = ops.argmax(ranked, axis=2), ops.max(ranked, axis=2)
    answers = best >= high
    return number, answers, (best >= low) & ~answers
