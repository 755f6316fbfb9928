import numpy as np
import pandas as pd
import pytest

from kerasdl.detection import Annotations, average_precision, curves, mistakes
from kerasdl.detection.annotations import BOX

SQUARE, OTHER = [0, 0, 10, 10], [20, 20, 30, 30]


def boxes(*rows, **more):
    names = ("file", "label", *BOX)
    return [
        dict(zip(names, (f, name, *box), strict=True)) | more for f, name, box in rows
    ]


def answers(*rows):
    return pd.DataFrame(
        [(file, label, score, *box) for file, label, score, box in rows],
        columns=["file", "label", "score", *BOX],
    )


def truth(*found, classes=("cat",), photos=("a", "b")):
    known = {file: {"height": 100, "width": 100} for file in photos}
    return Annotations.of(None, classes, known, [box for own in found for box in own])


TWO = boxes(("a", "cat", SQUARE), ("b", "cat", SQUARE))
# Right, wrong, right: precision 1, 1/2, 2/3 at recalls .5, .5, 1.
THREE = answers(
    ("a", "cat", 0.9, SQUARE), ("a", "cat", 0.8, OTHER), ("b", "cat", 0.7, SQUARE)
)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("voc", (1 + 2 / 3) / 2),
        ("voc2007", (6 + 5 * 2 / 3) / 11),
        ("coco", (51 + 50 * 2 / 3) / 101),
    ],
)
def test_a_case_made_by_hand(method, expected):
    found = average_precision(truth(TWO), THREE, method)
    assert found.index.tolist() == ["cat", "all"]
    np.testing.assert_allclose(found["ap50"], expected, atol=1e-6)


def test_map_is_the_mean_over_ten_overlaps():
    # IoU .72: right at .50, .55, ..., .70.
    shifted = answers(("a", "cat", 0.9, [0, 0, 10, 7.2]), ("b", "cat", 0.8, SQUARE))
    found = average_precision(truth(TWO), shifted).loc["cat"]
    assert found["ap50"] == pytest.approx(1)
    # Above, the best answer is wrong: precision 1/2 up to recall .5.
    assert found["ap75"] == pytest.approx(0.5 * 51 / 101)
    assert found["map"] == pytest.approx(0.5 + 0.5 * 0.5 * 51 / 101)
    assert found["small"] == pytest.approx(found["map"])
    assert np.isnan(found["large"])


@pytest.mark.parametrize("method", ["voc", "voc2007", "coco"])
def test_the_second_answer_to_a_box_is_wrong(method):
    twice = answers(
        ("a", "cat", 0.9, SQUARE), ("a", "cat", 0.8, SQUARE), ("b", "cat", 0.7, SQUARE)
    )
    found = average_precision(truth(TWO), twice, method)["ap50"]
    expected = average_precision(truth(TWO), THREE, method)["ap50"]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(
    ("method", "flag"),
    [
        ("voc", "difficult"),
        ("voc2007", "difficult"),
        ("coco", "crowd"),
        ("coco", "difficult"),
    ],
)
def test_answers_to_difficult_boxes_and_crowds_count_nothing(method, flag):
    more = boxes(("a", "cat", OTHER), **{flag: True})
    found = average_precision(truth(TWO, more), THREE, method)["ap50"]
    np.testing.assert_allclose(found, 1)


@pytest.mark.parametrize("method", ["voc", "coco"])
def test_a_class_without_boxes_does_not_count(method):
    found = average_precision(truth(TWO, classes=("cat", "dog")), THREE, method)["ap50"]
    assert np.isnan(found["dog"])
    assert found["all"] == found["cat"]


@pytest.mark.parametrize("method", ["voc", "coco"])
def test_a_class_may_be_called_as_the_mean_is(method):
    named = boxes(("a", "all", SQUARE), ("b", "dog", SQUARE))
    half = answers(("a", "all", 0.9, SQUARE))
    known = truth(named, classes=("all", "dog"))
    found = average_precision(known, half, method)["ap50"]
    assert found.index.tolist() == ["all", "dog", "all"]
    np.testing.assert_allclose(found, [1, 0, 0.5])
    # Without the owner of the one answer half of the mean is lost to a miss.
    assert mistakes(known, half, 0.5)["cost"]["missed"] == pytest.approx(0.5)


def test_of_each_class_of_a_photo_the_hundred_best_count():
    squares = [
        (label, [10.0 * x, 10.0 * y, 10.0 * x + 9, 10.0 * y + 9])
        for label in ("cat", "dog")
        for x in range(11)
        for y in range(10)
    ]
    known = truth(boxes(*(("a", *row) for row in squares)), classes=("cat", "dog"))
    all_of_them = answers(*(("a", label, 0.5, box) for label, box in squares))
    found = average_precision(known, all_of_them)["ap50"]
    # Of 110 boxes 100 are found: recalls up to .9, of 101, have a precision of 1.
    np.testing.assert_allclose(found, 91 / 101)


@pytest.mark.parametrize("method", ["voc", "coco"])
def test_no_answers_are_worth_nothing(method):
    found = average_precision(truth(TWO, classes=("cat", "dog")), THREE[:0], method)
    assert found.loc["cat", "ap50"] == 0 and np.isnan(found.loc["dog", "ap50"])


@pytest.mark.parametrize("method", ["voc", "coco"])
def test_photos_without_any_box_have_no_measure(method):
    found = average_precision(truth(), THREE, method)
    assert found["ap50"].isna().all()


def test_curves_say_what_each_threshold_gives():
    name, found = next(iter(curves(truth(TWO), THREE)))
    assert name == "cat"
    assert found["right"].tolist() == [True, False, True]
    np.testing.assert_allclose(found["precision"], [1, 1 / 2, 2 / 3])
    np.testing.assert_allclose(found["recall"], [1 / 2, 1 / 2, 1])
    np.testing.assert_allclose(found["f1"], [2 / 3, 1 / 2, 4 / 5])


def test_voc_at_many_answers_is_as_scikit_learn_says(rng):
    """Where each photo holds one box or none, AP is that of a ranking."""
    from sklearn.metrics import average_precision_score

    photos = [f"{n}" for n in range(60)]
    is_there = rng.random(60) < 0.5
    own = boxes(
        *((f, "cat", SQUARE) for f, t in zip(photos, is_there, strict=True) if t)
    )
    scores = rng.permutation(60) / 60
    given = answers(
        *((f, "cat", s, SQUARE) for f, s in zip(photos, scores, strict=True))
    )
    found = [t for _, t in curves(truth(own, photos=photos), given)][0]
    steps = np.diff(np.concatenate([[0], found["recall"]]))
    area = (steps * found["precision"]).sum()  # scikit-learn's does not interpolate
    assert area == pytest.approx(average_precision_score(is_there, scores))


@pytest.mark.parametrize(
    ("given", "method", "message"),
    [
        (THREE, "pascal", "`method` must be one of 'coco', 'voc', 'voc2007'"),
        (THREE.drop(columns="score"), "voc", "must have columns .* called score"),
        (answers(("c", "cat", 1, SQUARE)), "voc", "photos and classes .* file 'c'"),
        (answers(("a", "cow", 1, SQUARE)), "coco", "photos and classes .* label 'cow'"),
    ],
    ids=["method", "column", "photo", "class"],
)
def test_arguments_are_checked(given, method, message):
    with pytest.raises(ValueError, match=message):
        average_precision(truth(TWO), given, method)
