import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from kerasdl.classification import (
    ClassificationReport,
    curves,
    save_calibration,
    save_precision_recall,
    save_roc,
)

BLUE, RED, GREEN = ((42, 111, 151), (209, 73, 91), (58, 157, 93))


def report(rng, classes, count=120, names=None):
    labels = np.arange(count) % classes
    logits = rng.normal(size=(count, classes))
    logits[np.arange(count), labels] += 1.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = names or [f"class {number}" for number in range(classes)]
    return ClassificationReport.from_predictions(probabilities, labels, names)


def multi_label(rng):
    labels = rng.random((80, 3)) < 0.4
    probabilities = np.clip(0.5 * labels + 0.5 * rng.random((80, 3)), 0, 1)
    return ClassificationReport.from_predictions(
        probabilities, labels.astype(int), list("abc")
    )


def picture(path):
    return np.asarray(Image.open(path).convert("RGB"))


def shows(path, *colours):
    pixels = picture(path)
    return [bool((pixels == colour).all(axis=-1).any()) for colour in colours]


@pytest.mark.parametrize("save", [save_precision_recall, save_roc])
def test_few_classes_have_a_line_each(tmp_path, rng, save):
    save(report(rng, 3), tmp_path / "curves.png")
    assert shows(tmp_path / "curves.png", BLUE, RED, GREEN) == [True, True, True]
    save(multi_label(rng), tmp_path / "several.png")
    assert shows(tmp_path / "several.png", BLUE, RED, GREEN) == [True, True, True]


@pytest.mark.parametrize("save", [save_precision_recall, save_roc])
def test_many_classes_are_averaged(tmp_path, rng, save):
    save(report(rng, 12), tmp_path / "curves.png")
    assert shows(tmp_path / "curves.png", BLUE, RED, GREEN) == [True, True, False]


def test_two_classes_have_one_roc(tmp_path, rng):
    save_roc(report(rng, 2), tmp_path / "roc.png")
    save_precision_recall(report(rng, 2), tmp_path / "pr.png")
    assert shows(tmp_path / "roc.png", BLUE, RED) == [True, False]
    assert shows(tmp_path / "pr.png", BLUE, RED) == [True, True]


def test_names_that_matplotlib_takes_for_its_own_are_shown(tmp_path):
    for number, name in enumerate(("xx", "_x", "$x$")):
        plain = report(np.random.default_rng(0), 3, names=[name, "b", "c"])
        save_roc(plain, tmp_path / f"{number}.png")
    heights = [
        np.flatnonzero((picture(tmp_path / f"{n}.png") == BLUE).all(axis=-1).any(1))
        for n in range(3)
    ]
    # The lowest blue is the class's line in the legend.
    assert heights[0].max() == heights[1].max() == heights[2].max()


def test_the_area_under_the_steps_is_the_average_precision(rng):
    truth, scores = rng.random(200) < 0.3, rng.random(200).round(2)
    line = curves._precision_recall(truth, scores)
    steps = np.sum(np.diff(line.x) * line.y[1:])
    assert steps == pytest.approx(metrics.average_precision_score(truth, scores))
    assert line.area == pytest.approx(steps)


def test_averages_are_taken_over_the_best_precision_at_a_recall_or_above(rng):
    truth, scores = rng.random(60) < 0.3, rng.random(60)
    line = curves._precision_recall(truth, scores)
    precision, recall, _ = metrics.precision_recall_curve(truth, scores)
    slow = [precision[recall >= r].max() for r in curves._GRID]
    np.testing.assert_allclose(
        curves._at_grid(line, curves._precision_recall), slow, rtol=1e-12
    )


def test_calibration_of_any_report_is_drawn(tmp_path, rng):
    for name, shown in (("one", report(rng, 3)), ("several", multi_label(rng))):
        save_calibration(shown, tmp_path / f"{name}.png")
        assert shows(tmp_path / f"{name}.png", BLUE) == [True]
    with pytest.raises(ValueError, match="`bins` must be an integer of at least 1"):
        save_calibration(report(rng, 3), tmp_path / "none.png", bins=0)


@pytest.mark.parametrize("save", [save_precision_recall, save_roc])
def test_one_class_alone_has_no_curve(tmp_path, save):
    alone = ClassificationReport.from_predictions(
        np.array([[0.9, 0.1], [0.6, 0.4]]), [0, 0], ["cat", "dog"]
    )
    with pytest.raises(ValueError, match="some photos show and some do not"):
        save(alone, tmp_path / "curves.png")
    assert list(tmp_path.iterdir()) == []
