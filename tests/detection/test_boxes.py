import keras
import numpy as np
import pytest

from kerasdl.detection.boxes import (
    area,
    iou_and_giou,
    pairwise_iou,
)
from kerasdl.detection.measures import iou_matrix


def drawn(rng, *shape):
    low = rng.integers(0, 12, (*shape, 2))
    return np.concatenate([low, low + rng.integers(1, 9, (*shape, 2))], -1).astype("f")


def counted(first, second):
    """IoU by counting pixels."""
    masks = np.zeros((2, 30, 30), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, (first, second), strict=True):
        mask[int(y1) : int(y2), int(x1) : int(x2)] = True
    return (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()


def test_pairs_are_as_counted_by_pixels(rng):
    boxes, others = drawn(rng, 2, 5), drawn(rng, 2, 4)
    expected = [
        [[counted(box, other) for other in others[place]] for box in boxes[place]]
        for place in range(2)
    ]
    np.testing.assert_allclose(pairwise_iou(boxes, others), expected, atol=1e-6)
    np.testing.assert_allclose(iou_matrix(boxes[0], others[0]), expected[0], atol=1e-6)


def test_pairs_are_as_in_keras(rng):
    boxes, others = drawn(rng, 2, 50), drawn(rng, 2, 40)
    expected = keras.utils.bounding_boxes.compute_iou(boxes, others, "xyxy")
    np.testing.assert_allclose(pairwise_iou(boxes, others), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("other", "iou", "giou"),
    [
        ([0, 0, 2, 2], 1, 1),
        ([1, 0, 3, 2], 1 / 3, 1 / 3),  # the box around both is their union
        ([1, 1, 3, 3], 1 / 7, 1 / 7 - 2 / 9),
        ([4, 0, 6, 2], 0, -4 / 12),
        ([2, 2, 4, 4], 0, -8 / 16),
    ],
)
def test_giou_of_cases_made_by_hand(other, iou, giou):
    square = np.array([0, 0, 2, 2], "f")
    found = iou_and_giou(square, np.array(other, "f"))
    np.testing.assert_allclose(found, (iou, giou), atol=1e-6)


def test_boxes_of_no_area_give_numbers():
    none = np.zeros(4, "f")
    assert np.isfinite(iou_and_giou(none, none)).all()
    assert np.isfinite(pairwise_iou(none[None], none[None])).all()
    assert area(np.array([3, 3, 1, 1], "f")) == 0
