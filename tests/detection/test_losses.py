import keras
import numpy as np
import pytest

from kerasdl.detection import PointLoss

PLACES = np.array([[x, y, x + 8, y + 8] for y in (0, 8) for x in (0, 8)], "f")


def raw(boxes, logits):
    return np.concatenate([boxes, PLACES, logits], 1)[None].astype("f")


def labels_of(box, label=0, ignored=0):
    return np.array([[[*box, label, ignored]]], "f")


NONE = labels_of([-1, -1, -1, -1], -1)


def slow(boxes, logits, target, answers):
    """The two parts of the loss, place by place, from the paper's equation."""
    total = 0.0
    for own, wanted in zip(logits, target, strict=True):
        for logit, y in zip(own, wanted, strict=True):
            p = 1 / (1 + np.exp(-logit))
            total -= abs(y - p) ** 2 * (y * np.log(p) + (1 - y) * np.log(1 - p))
    return total / max(sum(answers), 1)


def test_a_place_that_answers_shall_score_its_iou(rng):
    logits = rng.normal(0, 1, (4, 2))
    boxes = np.tile(np.array([[1, 1, 9, 9.0]]), (4, 1))
    true = labels_of([1, 1, 15, 15], 1)  # all four places are near its middle
    iou = 64 / 196
    target = np.zeros((4, 2))
    target[:, 1] = iou
    expected = slow(boxes, logits, target, [1] * 4) + 2 * (1 - iou)
    found = PointLoss()(true, raw(boxes, logits))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_photo_without_objects_teaches_that_there_is_none(rng):
    logits = rng.normal(0, 1, (4, 2))
    true = NONE
    found = PointLoss()(true, raw(np.zeros((4, 4)), logits))
    expected = slow(None, logits, np.zeros((4, 2)), [])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_places_in_ignored_boxes_count_nothing(rng):
    logits = rng.normal(0, 1, (4, 2))
    true = labels_of([0, 0, 16, 16], 1, ignored=1)
    assert float(PointLoss()(true, raw(np.zeros((4, 4)), logits))) == 0


def test_places_next_to_what_they_cannot_reach_count_nothing(rng):
    """Between four points of stride 8 an object of 4 pixels can have an IoU of .44."""
    logits = rng.normal(0, 1, (4, 2))
    assert float(PointLoss()(labels_of([6, 6, 10, 10]), raw(PLACES, logits))) == 0
    best = np.array([[4, 4, 10.5, 10.5], [5.5, 4, 12, 10.5]])
    best = np.concatenate([best, [[4, 5.5, 10.5, 12], [5.5, 5.5, 12, 12]]])
    iou = 25 / 6.5**2
    sure = np.log(iou / (1 - iou)) * np.ones((4, 1))
    found = float(PointLoss()(labels_of([5.5, 5.5, 10.5, 10.5]), raw(best, sure)))
    assert found == pytest.approx(2 * (1 - iou), rel=1e-5)  # of boxes alone


def test_photos_count_alike(rng):
    logits = rng.normal(0, 1, (2, 4, 1))
    whole = [raw(np.tile([[1, 1, 9, 9.0]], (4, 1)), own) for own in logits]
    one = labels_of([1, 1, 15, 15])
    both = np.concatenate([one, NONE])
    loss = PointLoss()
    expected = (float(loss(one, whole[0])) + float(loss(NONE, whole[1]))) / 2
    np.testing.assert_allclose(loss(both, np.concatenate(whole)), expected, rtol=1e-6)


def test_logits_far_out_give_numbers():
    true = labels_of([1, 1, 15, 15])
    for logit in (-200.0, 200.0):
        found = PointLoss()(true, raw(np.zeros((4, 4)), np.full((4, 1), logit)))
        assert np.isfinite(float(found))


def test_it_is_made_again_from_its_config():
    loss = PointLoss(gamma=1.5, box_weight=3.0)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert (again.gamma, again.box_weight) == (1.5, 3.0)
