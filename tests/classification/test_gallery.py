import numpy as np
import pytest
from PIL import Image

from kerasdl.classification import ClassificationReport, gallery, save_gallery

NAMES = ["cat", "dog"]
# Probability of "dog" of each photo, and the truth.
DOG = np.array([0.10, 0.45, 0.70, 0.90, 0.60, 0.20, 0.97, 0.35])
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])
FILES = [f"{NAMES[label]}/{row}.jpg" for row, label in enumerate(LABELS)]


def report(images=None):
    probabilities = np.stack([1 - DOG, DOG], axis=1)
    return ClassificationReport.from_predictions(
        probabilities, LABELS, NAMES, FILES, images
    )


@pytest.mark.parametrize(
    ("kind", "class_name", "rows"),
    [  # of equally probable ones, the first in the report
        ("most_correct", None, [6, 0, 4, 1]),
        ("most_incorrect", None, [3, 5, 2, 7]),
        ("most_uncertain", None, [1, 4, 7, 2, 5, 0, 3, 6]),
        ("hardest", None, [3, 5, 2, 7, 1, 4, 0, 6]),
        ("most_correct", "cat", [0, 1]),
        ("most_incorrect", "cat", [3, 2]),
        ("most_incorrect", "dog", [5, 7]),
        ("most_uncertain", "dog", [4, 7, 5, 6]),
    ],
)
def test_order_by_hand(kind, class_name, rows):
    assert gallery(report(), kind, class_name=class_name).index.tolist() == rows
    first = gallery(report(), kind, 1, class_name)
    assert first.index.tolist() == rows[:1]


def test_photos_name_file_answer_and_truth():
    photo = gallery(report(), "most_incorrect", 1).iloc[0]
    assert photo["file"] == "cat/3.jpg"
    assert (photo["true"], photo["predicted"]) == ("cat", "dog")
    assert photo["probability"] == pytest.approx(0.9)
    assert photo["probability_of_true"] == pytest.approx(0.1)
    assert not photo["correct"]


def test_random_photos_are_seeded_and_of_their_kind():
    shown = {
        kind: [gallery(report(), kind, 2, seed=seed).index.tolist() for seed in (1, 1)]
        for kind in ("random_correct", "random_incorrect")
    }
    for first, again in shown.values():
        assert first == again
    drawn = {
        row
        for seed in range(30)
        for row in gallery(report(), "random_incorrect", 2, seed=seed).index
    }
    assert drawn == {2, 3, 5, 7}
    correct = gallery(report(), "random_correct", 99, seed=0)
    assert sorted(correct.index) == [0, 1, 4, 6]
    assert correct["correct"].all()


def test_a_missing_seed_is_drawn_and_printed_only_where_it_is_used(capsys):
    gallery(report(), "most_correct")
    assert capsys.readouterr().out == ""
    gallery(report(), "random_correct")
    assert "seed=" in capsys.readouterr().out


TAGS = ["clear", "road", "water"]
TAG_LABELS = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0], [0, 1, 1]])
TAG_PROBABILITIES = np.array(
    [[0.9, 0.2, 0.8], [0.3, 0.9, 0.6], [0.1, 0.3, 0.2], [0.7, 0.1, 0.6]]
)


def tags(images=None):
    return ClassificationReport.from_predictions(
        TAG_PROBABILITIES, TAG_LABELS, TAGS, list("abcd"), images
    )


def test_several_classes_by_hand():
    assert gallery(tags(), "most_correct").index.tolist() == [0, 2]
    wrong = gallery(tags(), "most_incorrect")
    assert wrong["file"].tolist() == ["d", "b"]  # 0.1 for a road that is there; 0.3
    assert wrong["true"].tolist() == ["road, water", "clear, road"]
    assert wrong["predicted"].tolist() == ["clear, water", "road, water"]
    assert gallery(tags(), "most_correct", 1).loc[0, "true"] == "clear, water"
    assert gallery(tags(), "most_uncertain").index.tolist() == [1, 3, 2, 0]


def test_of_one_of_several_classes_found_missed_and_false_alarms_count():
    assert gallery(tags(), "most_correct", class_name="clear").index.tolist() == [0]
    wrong = gallery(tags(), "most_incorrect", class_name="clear")
    assert wrong.index.tolist() == [1, 3]  # missed with 0.3, alarmed with 0.7
    np.testing.assert_allclose(wrong["probability_of_true"], [0.3, 0.3])
    np.testing.assert_allclose(wrong["probability"], [0.7, 0.7])
    assert gallery(tags(), "most_correct", class_name="road").index.tolist() == [1]


COLOURS = [(30 * row, 255 - 30 * row, 77) for row in range(8)]


def plain(row):
    return np.full((10, 12, 3), COLOURS[row], "uint8")


def test_the_picture_shows_the_photos_that_were_chosen(tmp_path):
    shown = report(plain)
    photos = gallery(shown, "most_incorrect", 2)
    save_gallery(shown, photos, tmp_path / "wrong.png", columns=2)
    pixels = np.asarray(Image.open(tmp_path / "wrong.png").convert("RGB"))
    seen = [row for row in range(8) if (pixels == COLOURS[row]).all(axis=-1).any()]
    assert seen == [3, 5]


def test_no_photos_are_a_picture_of_the_headline(tmp_path):
    shown = report(plain)
    none = gallery(shown, "most_incorrect").iloc[:0]
    save_gallery(shown, none, tmp_path / "wrong.png", headline="no mistakes")
    assert np.asarray(Image.open(tmp_path / "wrong.png")).min() < 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("wrong",), "`kind` must be one of 'hardest'"),
        (("most_correct", 0), "`count` must be an integer of at least 1"),
        (("most_correct", 1, "fox"), "`class_name` must be one of 'cat', 'dog'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        gallery(report(), *arguments)
