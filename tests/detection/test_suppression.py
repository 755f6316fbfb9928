import numpy as np
import pytest
import tensorflow as tf

from kerasdl.detection import suppressed
from kerasdl.detection.measures import iou_matrix


def greedy(boxes, scores, threshold):
    """(score, class, box) of all that stands, class by class: a plain loop."""
    found = []
    for number in range(scores.shape[1]):
        standing = []
        for place in np.argsort(-scores[:, number], kind="stable"):
            box = boxes[place]
            if not standing or iou_matrix(box[None], np.stack(standing)).max() <= (
                threshold
            ):
                standing.append(box)
                found.append((scores[place, number], number, *box))
    return np.array(sorted(found, reverse=True))


def crowd(rng, pictures, places, classes):
    """Boxes that overlap in long chains."""
    low = rng.uniform(0, 60, (pictures, places, 2))
    sides = rng.uniform(20, 50, (pictures, places, 2))
    boxes = np.concatenate([low, low + sides], -1).astype("f")
    return boxes, rng.uniform(0.01, 1, (pictures, places, classes)).astype("f")


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_what_stands_is_what_a_loop_leaves(rng, threshold):
    boxes, scores = crowd(rng, 8, 100, 3)
    found = suppressed(boxes, scores, 300, 300, threshold)
    for picture in range(8):
        expected = greedy(boxes[picture], scores[picture], threshold)
        count = int(found["count"][picture])
        assert count == len(expected)
        np.testing.assert_allclose(found["scores"][picture, :count], expected[:, 0])
        np.testing.assert_array_equal(found["labels"][picture, :count], expected[:, 1])
        np.testing.assert_allclose(found["boxes"][picture, :count], expected[:, 2:])


def test_what_stands_is_what_tensorflow_leaves(rng):
    boxes, scores = crowd(rng, 4, 120, 2)
    found = suppressed(boxes, scores, 50, 240, 0.5)
    theirs = tf.image.combined_non_max_suppression(
        boxes[:, :, None], scores, 50, 50, iou_threshold=0.5, clip_boxes=False
    )
    np.testing.assert_allclose(found["scores"], theirs.nmsed_scores, atol=1e-6)
    np.testing.assert_array_equal(found["labels"], theirs.nmsed_classes)


def test_of_a_chain_longer_than_the_rounds_none_is_lost():
    boxes = np.array([[[10 * n, 0, 10 * n + 30, 10] for n in range(40)]], "f")
    scores = np.linspace(0.9, 0.1, 40).reshape(1, 40, 1).astype("f")
    found = suppressed(boxes, scores, 40, 40, 0.4)
    places = found["boxes"][0, : int(found["count"][0]), 0]
    whole = np.arange(0, 400, 20)  # every second one, as a loop leaves them
    assert set(whole) < set(np.array(places).tolist())
    np.testing.assert_array_equal(places[:7], whole[:7])


def test_a_chain_of_covers():
    boxes = np.array([[[10 * n, 0, 10 * n + 30, 10] for n in range(9)]], "f")
    scores = np.linspace(0.9, 0.1, 9).reshape(1, 9, 1).astype("f")
    found = suppressed(boxes, scores, 9, 9, 0.4)  # neighbours have .5
    assert found["count"][0] == 5
    np.testing.assert_array_equal(found["boxes"][0, :5, 0], [0, 20, 40, 60, 80])


def test_other_classes_and_low_scores():
    boxes = np.array([[[0, 0, 10, 10], [0, 0, 10, 10], [50, 50, 60, 60]]], "f")
    scores = np.array([[[0.9, 0], [0, 0.8], [0.0005, 0]]], "f")
    found = suppressed(boxes, scores, 5, 6)
    assert found["count"][0] == 2
    np.testing.assert_array_equal(found["labels"][0], [0, 1, -1, -1, -1])
    np.testing.assert_array_equal(found["boxes"][0, 2:], np.zeros((3, 4)))


def test_all_of_a_class_vote_for_the_box(rng):
    boxes, scores = crowd(rng, 3, 60, 2)
    threshold, power = 0.5, 3.0
    plain = suppressed(boxes, scores, 120, 120, threshold)
    found = suppressed(boxes, scores, 120, 120, threshold, vote=power)
    np.testing.assert_array_equal(found["scores"], plain["scores"])
    for picture in range(3):
        for place in range(int(found["count"][picture])):
            label = int(found["labels"][picture, place])
            own = np.array(plain["boxes"])[picture, place]
            overlaps = iou_matrix(own[None], boxes[picture])[0]
            weights = overlaps**8 * scores[picture, :, label] ** power
            mean = (weights[:, None] * boxes[picture]).sum(axis=0) / weights.sum()
            box = found["boxes"][picture, place]
            np.testing.assert_allclose(box, mean, rtol=1e-4)


def test_a_box_without_area_votes_for_itself():
    boxes = np.array([[[5, 5, 5, 9], [20, 20, 30, 30]]], "f")
    found = suppressed(boxes, np.array([[[0.9], [0.8]]], "f"), vote=3.0)
    np.testing.assert_allclose(found["boxes"], boxes)


def test_there_may_be_fewer_places_than_answers():
    found = suppressed(np.zeros((2, 1, 4), "f"), np.ones((2, 1, 1), "f"))
    assert found["boxes"].shape == (2, 1, 4)
