import numpy as np
import pytest

from kerasdl.detection.assignment import RADIUS, assign_points, in_any
from kerasdl.detection.measures import iou_matrix


def places_of(size, strides):
    """Squares about the points of all levels of a square picture."""
    found = []
    for stride in strides:
        for row in range(size // stride):
            for column in range(size // stride):
                x, y = column * stride, row * stride
                found.append([x, y, x + stride, y + stride])
    return np.array(found, "f")


def slow(places, boxes, labels):
    """What `assign_points` does, one pair after another."""
    strides = places[:, 2] - places[:, 0]
    points = (places[:, :2] + places[:, 2:]) / 2
    best, best_area = np.full(len(places), -1), np.full(len(places), np.inf)
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        inside, level = [], []
        for place, ((x, y), stride) in enumerate(zip(points, strides, strict=True)):
            sides = x - x1, y - y1, x2 - x, y2 - y
            off = max(abs(x - (x1 + x2) / 2), abs(y - (y1 + y2) / 2))
            low = 0 if stride == strides.min() else 4 * stride
            high = np.inf if stride == strides.max() else 8 * stride
            if low < max(sides) <= high:
                level.append((off, place))
                if min(sides) > 0 and off < RADIUS * stride:
                    inside.append(place)
        nearest = min(level)[0]
        beside = []
        for off, place in level:
            x, y = points[place]
            around = (max(x2, x) - min(x1, x)) * (max(y2, y) - min(y1, y))
            if off == nearest and (x2 - x1) * (y2 - y1) / around >= 0.5:
                beside.append(place)
        for place in inside or beside:
            if labels[number] >= 0 and (x2 - x1) * (y2 - y1) < best_area[place]:
                best[place], best_area[place] = number, (x2 - x1) * (y2 - y1)
    return best


def assigned(places, boxes, labels):
    number, answers, _ = assign_points(places[None], boxes[None], labels[None])
    return np.where(answers[0], number[0], -1)


def test_points_are_assigned_as_one_by_one(rng):
    places = places_of(128, (8, 16, 32))
    low = rng.uniform(0, 90, (12, 2))
    boxes = np.concatenate([low, low + rng.uniform(4, 120, (12, 2))], 1).astype("f")
    boxes[3] = 37, 37, 43, 43  # between four points, as is
    boxes[4] = 61, 21, 63, 23  # too far from the next
    boxes[6] = 3, 9, 120, 11  # what is hardly a line
    labels = np.array([0, 1, -1] * 4, "f")
    expected = slow(places, boxes, labels)
    np.testing.assert_array_equal(assigned(places, boxes, labels), expected)
    assert len(set(expected)) > 5


def test_the_middle_of_an_object_answers_on_one_level():
    places = places_of(128, (8, 16, 32))
    boxes = np.array([[10, 10, 40, 40], [0, 0, 128, 128]], "f")
    found = assigned(places, boxes, np.zeros(2, "f"))
    strides = places[:, 2] - places[:, 0]
    assert set(strides[found == 0]) == {8} and set(strides[found == 1]) == {16}
    middles = (places[found == 0, :2] + places[found == 0, 2:]) / 2
    assert abs(middles - 25).max() < 12


def test_of_two_objects_a_point_answers_for_the_smaller():
    places = places_of(64, (8, 16))
    boxes = np.array([[4, 4, 60, 60], [24, 24, 40, 40]], "f")
    found = assigned(places, boxes, np.zeros(2, "f"))
    middle = (places == [24, 24, 32, 32]).all(axis=1)
    assert found[middle].tolist() == [1]


def test_an_object_between_the_points_has_those_next_to_it():
    places = places_of(64, (8, 16))
    # One in a corner of its square; one between four points; one as wide as all.
    boxes = [[17, 17, 19.5, 19.5], [37.5, 37.5, 42.5, 42.5], [0, 46, 64, 50]]
    boxes = np.array(boxes, "f")
    found = assigned(places, boxes, np.zeros(3, "f"))
    own = [places[found == number].tolist() for number in range(3)]
    assert own[0] == [[16, 16, 24, 24]]
    assert own[1] == [[x, y, x + 8, y + 8] for y in (32, 40) for x in (32, 40)]
    assert own[2] and all(y1 in (32, 40, 48) for _, y1, _, _ in own[2])
    assert (assigned(places, boxes, -np.ones(3, "f")) == -1).all()


@pytest.mark.parametrize(
    ("side", "best"), [(2, 4 / 25), (3, 9 / 5.5**2), (4, 16 / 36), (5, 25 / 6.5**2)]
)
def test_points_answer_for_what_they_can_reach(side, best):
    """An answer holds its point: the best of all, for an object between four points."""
    half = side / 2
    box = np.array([40 - half, 40 - half, 40 + half, 40 + half])
    reached = np.stack(np.meshgrid(*4 * [np.arange(0, 9, 0.5)]), -1).reshape(-1, 4)
    every = np.array([36, 36, 36, 36]) + reached * [-1, -1, 1, 1]
    assert iou_matrix(every, box[None]).max() == pytest.approx(best)
    places = places_of(64, (8,))
    given = places[None], box[None, None].astype("f")
    _, answers, is_blank = assign_points(*given, np.zeros((1, 1), "f"))
    beside = (abs(places - [36, 36, 44, 44]) == 4).all(axis=1)
    assert beside.sum() == 4
    np.testing.assert_array_equal(answers[0], beside & (best >= 0.5))
    np.testing.assert_array_equal(is_blank[0], beside & (best < 0.5))
    _, answers, is_blank = assign_points(*given, np.full((1, 1), -1, "f"))
    assert not np.any(answers) and not np.any(is_blank)


def test_no_object_no_answer():
    places = places_of(64, (8,))
    found = assigned(places, np.full((3, 4), -1, "f"), np.full(3, -1, "f"))
    assert (found == -1).all()


def test_places_in_boxes():
    places = places_of(32, (8,))
    boxes = np.array([[[0, 0, 16, 8], [16, 16, 32, 32]]], "f")
    found = in_any(places[None], boxes, np.array([[True, False]]))
    np.testing.assert_array_equal(np.flatnonzero(found[0]), [0, 1])
