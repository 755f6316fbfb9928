import numpy as np
import pandas as pd
import pytest

from kerasdl.detection import (
    Annotations,
    best_threshold,
    confusion,
    missed,
    mistakes,
    outcomes,
)
from kerasdl.detection.annotations import BOX

CAT, DOG, OWL, FAR = [0, 0, 10, 10], [20, 0, 30, 10], [0, 20, 10, 30], [50, 50, 60, 60]
SHIFTED = [5, 0, 15, 10]  # IoU 1/3 with CAT
GIVEN = [
    ("cat", 0.9, CAT, "right"),
    ("cat", 0.8, CAT, "double"),
    ("cat", 0.7, DOG, "wrong class"),
    ("cat", 0.6, FAR, "background"),
    ("owl", 0.5, [5, 20, 15, 30], "badly placed"),
]


def annotations(*rows):
    boxes = [
        {"file": "a", "label": label, **dict(zip(BOX, box, strict=True))} | flags
        for label, box, flags in rows
    ]
    photos = {"a": {"height": 100, "width": 100}}
    return Annotations.of(None, ["cat", "dog", "owl"], photos, boxes)


@pytest.fixture
def truth():
    return annotations(("cat", CAT, {}), ("dog", DOG, {}), ("owl", OWL, {}))


@pytest.fixture
def answers():
    rows = [("a", label, score, *box) for label, score, box, _ in GIVEN]
    return pd.DataFrame(rows, columns=["file", "label", "score", *BOX])


def test_each_kind_of_mistake_is_told(truth, answers):
    found = outcomes(truth, answers)
    assert found["kind"].tolist() == [kind for *_, kind in GIVEN]
    assert found["box"].tolist() == [0, 0, 1, -1, 2]
    assert missed(truth, found)["label"].tolist() == ["dog", "owl"]


def test_answers_to_what_is_ignored_are_left_out(answers):
    crowd = annotations(("cat", CAT, {"crowd": True}))
    found = outcomes(crowd, answers)
    assert found["score"].tolist() == [0.7, 0.6, 0.5]
    assert len(missed(crowd, found)) == 0


def test_what_mistakes_cost(truth, answers):
    """AP is 1 of cats, whose best answer is right, and 0 of dogs and owls."""
    found = mistakes(truth, answers, 0.55)
    counts = {"missed": 2, "double": 1, "wrong class": 1, "background": 1}
    assert found["count"].to_dict() == counts | {"badly placed": 0}
    costs = found["cost"]
    assert costs["wrong class"] == pytest.approx(1 / 3)  # dogs have an answer then
    assert costs["badly placed"] == pytest.approx(1 / 3)
    assert costs["double"] == costs["background"] == pytest.approx(0)


def test_misses_that_no_answer_is_near_cost_by_themselves(truth, answers):
    found = mistakes(truth, answers[:1], 0.5)
    assert found["count"]["missed"] == 2
    # Without dogs and owls the mean is that of cats alone.
    assert found["cost"]["missed"] == pytest.approx(2 / 3)


def test_confusion_has_background_last(truth, answers):
    expected = np.zeros((4, 4), int)
    expected[0, 0] = expected[1, 0] = 1
    expected[3, 0] = 2  # the double and the one in the grass
    expected[3, 2] = expected[2, 3] = 1  # an owl beside an owl
    np.testing.assert_array_equal(confusion(truth, answers, 0), expected)


def test_answers_to_what_is_ignored_are_in_no_confusion(answers):
    """A cat that nobody need find, with a dog of a lesser overlap to be found."""
    beside = [20, 0, 30, 8]
    hard = annotations(
        ("cat", CAT, {"difficult": True}),
        ("cat", DOG, {"crowd": True}),
        ("dog", beside, {}),
    )
    expected = np.zeros((4, 4), int)
    expected[1, 0] = 1  # of DOG and what lies beside it, that which is to be found
    expected[3, 0] = expected[3, 2] = 1  # far away, and the owl
    np.testing.assert_array_equal(confusion(hard, answers, 0), expected)


def test_the_best_threshold_is_where_f1_is_highest(truth, answers):
    found = best_threshold(truth, answers)
    assert found["threshold"] == 0.9
    assert found["f1"] == pytest.approx(2 * 1 * (1 / 3) / (1 + 1 / 3))
    assert (found["precision"], found["recall"]) == (1, pytest.approx(1 / 3))


def test_a_threshold_takes_all_answers_of_its_score(truth, answers):
    same = answers.assign(score=[0.9, 0.9, 0.9, 0.9, 0.5])
    found = best_threshold(truth, same)
    assert found["threshold"] == 0.9
    assert found["precision"] == pytest.approx(1 / 4)
    assert found["f1"] == pytest.approx(2 / (4 + 3))


def test_where_nothing_was_found_misses_cost_everything(truth, answers):
    assert mistakes(truth, answers[:0], 0.5)["cost"]["missed"] == 1


def test_without_a_right_answer_there_is_no_threshold(truth, answers):
    assert best_threshold(truth, answers[3:])["threshold"] == 1
    assert best_threshold(truth, answers[:0])["f1"] == 0
