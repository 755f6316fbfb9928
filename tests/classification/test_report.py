import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import metrics

import kerasdl
from kerasdl import predict
from kerasdl.classification import ClassificationReport

NAMES = ["cat", "dog", "fox"]
# Truth cat, cat, cat, dog, dog, fox; answers cat, cat, dog, dog, fox, fox.
LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array(
    [
        [0.9, 0.1, 0.0],
        [0.6, 0.2, 0.2],
        [0.3, 0.4, 0.3],
        [0.1, 0.8, 0.1],
        [0.2, 0.3, 0.5],
        [0.0, 0.1, 0.9],
    ]
)


def by_hand():
    return ClassificationReport.from_predictions(PROBABILITIES, LABELS, NAMES)


def random_report(rng, classes=12, count=300):
    labels = rng.integers(0, classes - 1, count)  # the last class has no photos
    logits = rng.normal(size=(count, classes))
    logits[np.arange(count), labels] += 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = [f"class {number}" for number in range(classes)]
    report = ClassificationReport.from_predictions(
        probabilities.astype("float32"), labels, names
    )
    return report, probabilities.astype("float32"), labels


def random_multi_label(rng, threshold=0.5):
    labels = rng.random((200, 4)) < [0.1, 0.3, 0.5, 0.8]
    probabilities = np.clip(0.6 * labels + 0.5 * rng.random((200, 4)) - 0.05, 0, 1)
    report = ClassificationReport.from_predictions(
        *(probabilities, labels.astype("float32"), list("abcd")), threshold=threshold
    )
    return report, probabilities, labels


def test_confusion_by_hand():
    report = by_hand()
    expected = pd.DataFrame([[2, 1, 0], [0, 1, 1], [0, 0, 1]], NAMES, NAMES)
    pd.testing.assert_frame_equal(
        report.confusion, expected, check_names=False, check_dtype=False
    )
    assert report.confusion.index.name == "true"
    assert report.confusion.columns.name == "predicted"
    np.testing.assert_allclose(
        report.confusion_shares, [[2 / 3, 1 / 3, 0], [0, 0.5, 0.5], [0, 0, 1]]
    )


def test_numbers_by_hand():
    report = by_hand()
    counts = report.per_class[["photos", "found", "missed", "false_alarms"]]
    assert counts.to_numpy().tolist() == [[3, 2, 1, 0], [2, 1, 1, 1], [1, 1, 0, 1]]
    np.testing.assert_allclose(report.per_class["precision"], [1, 0.5, 0.5])
    np.testing.assert_allclose(report.per_class["recall"], [2 / 3, 0.5, 1])
    assert report.summary["photos"] == 6
    assert report.summary["mistakes"] == 2
    assert report.summary["accuracy"] == pytest.approx(4 / 6)
    truth = [0.9, 0.6, 0.3, 0.8, 0.3, 0.9]
    assert report.summary["log_loss"] == pytest.approx(-np.log(truth).mean())
    np.testing.assert_allclose(report.of_truth, truth)
    np.testing.assert_allclose(report.of_answer, [0.9, 0.6, 0.4, 0.8, 0.5, 0.9])
    assert report.correct.tolist() == [True, True, False, True, False, True]
    assert report.files == ["0", "1", "2", "3", "4", "5"]


def test_interval_is_wilsons():
    report = by_hand()
    z, n, p = 1.959964, 6, 4 / 6
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert report.summary["accuracy_low"] == pytest.approx(middle - half, abs=1e-6)
    assert report.summary["accuracy_high"] == pytest.approx(middle + half, abs=1e-6)


def test_single_labels_agree_with_scikit_learn(rng):
    report, probabilities, labels = random_report(rng)
    answers = probabilities.argmax(axis=1)
    expected = metrics.classification_report(
        labels,
        answers,
        labels=range(11),
        target_names=report.class_names[:11],
        output_dict=True,
        zero_division=0,
    )
    for name in report.class_names[:11]:
        row = report.per_class.loc[name]
        assert row["precision"] == pytest.approx(expected[name]["precision"])
        assert row["recall"] == pytest.approx(expected[name]["recall"])
        assert row["f1"] == pytest.approx(expected[name]["f1-score"])
        assert row["photos"] == expected[name]["support"]
    for average in ("macro", "weighted"):
        found = report.averages.loc[average]
        for key, value in (("precision",) * 2, ("recall",) * 2, ("f1", "f1-score")):
            assert found[key] == pytest.approx(expected[f"{average} avg"][value])
    accuracy = metrics.accuracy_score(labels, answers)
    np.testing.assert_allclose(report.averages.loc["micro"], accuracy)
    assert report.summary["accuracy"] == pytest.approx(accuracy)
    assert report.summary["top_5_accuracy"] == pytest.approx(
        metrics.top_k_accuracy_score(labels, probabilities, k=5, labels=range(12))
    )
    slow = -np.log(probabilities[np.arange(300), labels].astype("float64")).mean()
    assert report.summary["log_loss"] == pytest.approx(slow, rel=1e-5)


def test_scores_by_class_are_of_the_class_against_all_others(rng):
    report, probabilities, labels = random_report(rng)
    for column, name in enumerate(report.class_names[:11]):
        truth, scores = labels == column, probabilities[:, column]
        pairs = scores[truth][:, None] - scores[~truth][None]
        slow = np.mean((pairs > 0) + 0.5 * (pairs == 0))
        assert report.per_class.loc[name, "roc_auc"] == pytest.approx(slow)
        assert report.per_class.loc[name, "average_precision"] == pytest.approx(
            metrics.average_precision_score(truth, scores)
        )
    unseen = report.per_class.loc["class 11"]
    assert unseen["photos"] == 0
    assert unseen[["precision", "recall", "f1", "roc_auc"]].isna().all()


@pytest.mark.parametrize("threshold", [0.5, [0.3, 0.5, 0.6, 0.7]])
def test_multi_label_agrees_with_scikit_learn(rng, threshold):
    report, probabilities, labels = random_multi_label(rng, threshold)
    answers = probabilities > threshold
    assert report.multi_label
    boxes = metrics.multilabel_confusion_matrix(labels, answers)
    expected = np.stack([boxes[:, 1, 1], boxes[:, 1, 0], boxes[:, 0, 1]], axis=1)
    counts = report.per_class[["found", "missed", "false_alarms"]]
    np.testing.assert_array_equal(counts, expected)
    for average in ("macro", "weighted", "micro", "samples"):
        scores = metrics.precision_recall_fscore_support(
            labels, answers, average=average, zero_division=0
        )
        np.testing.assert_allclose(report.averages.loc[average], scores[:3])
    summary = report.summary
    assert summary["accuracy"] == pytest.approx(metrics.accuracy_score(labels, answers))
    assert summary["label_accuracy"] == pytest.approx((labels == answers).mean())
    given = np.where(labels, probabilities, 1 - probabilities)
    slow = -np.log(np.clip(given, 1e-16, 1)).mean()
    assert summary["log_loss"] == pytest.approx(slow, rel=1e-6)


def test_multi_label_has_no_confusion_matrix(rng):
    report, *_ = random_multi_label(rng)
    with pytest.raises(ValueError, match="`per_class` counts what was found, missed"):
        _ = report.confusion


def test_one_sigmoid_unit_is_the_second_class():
    outputs = np.array([[0.1], [0.8], [0.4]], "float32")
    report = ClassificationReport.from_predictions(outputs, [0, 1, 1], ["cat", "dog"])
    np.testing.assert_allclose(report.probabilities[:, 1], [0.1, 0.8, 0.4], rtol=1e-6)
    np.testing.assert_array_equal(report.confusion, [[1, 0], [1, 1]])


@pytest.fixture
def photos(tmp_path, rng):
    """A folder of two classes, one photo of which is damaged, and a model for them."""
    for name, colour in (("blue", [0, 0, 200]), ("red", [200, 0, 0])):
        (tmp_path / name).mkdir()
        for number in range(10):
            pixels = np.clip(colour + rng.integers(0, 50, (8, 8, 3)), 0, 255)
            Image.fromarray(pixels.astype("uint8")).save(
                tmp_path / name / f"{number}.png"
            )
    inputs = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    dense = keras.layers.Dense(1, activation="sigmoid", use_bias=False)
    model = keras.Model(inputs, dense(pooled))
    dense.set_weights([np.array([[0.02], [0], [-0.02]], "float32")])  # red from blue
    return tmp_path, model


def read(folder, **more):
    return kerasdl.ImageData.from_folder(
        *(folder,), valid_fraction=0.5, image_size=8, batch_size=4, seed=3, **more
    )


def test_from_model_keeps_files_and_answers_together(photos):
    folder, model = photos
    data = read(folder)
    # The first of its batch: a shift by one would be seen in all that follow.
    damaged = data.files("valid")[0]
    (folder / damaged).write_bytes(b"no image")
    with pytest.warns(UserWarning, match="left out"):
        report = ClassificationReport.from_model(model, data, verbose=0)
    assert report.left_out == [damaged]
    assert report.files == data.files("valid")[1:]
    assert report.split == "valid"
    assert report.summary["accuracy"] == 1
    expected = predict.Predictor(model, data.class_names, 8, "crop").predict(
        [folder / file for file in report.files]
    )
    np.testing.assert_allclose(report.probabilities, expected.probabilities, atol=1e-6)
    for row, file in enumerate(report.files):
        shown = np.asarray(Image.open(folder / file))
        np.testing.assert_array_equal(report.image(row), shown)


def test_from_model_names_a_damaged_file_it_must_not_leave_out(photos):
    folder, model = photos
    data = read(folder, on_error="raise")
    damaged = data.files("valid")[0]
    (folder / damaged).write_bytes(b"no image")
    with pytest.raises(kerasdl.data.ImageError, match=damaged):
        ClassificationReport.from_model(model, data, verbose=0)


def test_images_may_be_paths(photos):
    folder, _ = photos
    paths = sorted((folder / "red").iterdir())[:6]
    report = ClassificationReport.from_predictions(
        PROBABILITIES, LABELS, NAMES, paths, paths
    )
    np.testing.assert_array_equal(report.image(2), np.asarray(Image.open(paths[2])))
    assert report.files[2] == str(paths[2])
    with pytest.raises(ValueError, match="`images` must be given to show photos"):
        by_hand().image(0)


def refused(**changes):
    arguments = {
        "probabilities": PROBABILITIES,
        "labels": LABELS,
        "class_names": NAMES,
        **changes,
    }
    ClassificationReport.from_predictions(**arguments)


ONE_HOT = np.eye(3)[LABELS]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": ["a", "b"]}, "take files, labels and probabilities from one"),
        ({"probabilities": PROBABILITIES[:, :2]}, r"`probabilities` must be \(n, cl"),
        ({"probabilities": PROBABILITIES[:0], "labels": []}, "at least one file"),
        ({"probabilities": PROBABILITIES[0]}, r"`probabilities` must be \(n, classes"),
        ({"probabilities": PROBABILITIES - 0.2}, r"must be in \[0, 1\].*the softmax"),
        ({"probabilities": PROBABILITIES * np.nan}, r"must be in \[0, 1\].*nan"),
        ({"probabilities": PROBABILITIES / 2}, "must sum to one.*6 rows"),
        ({"labels": LABELS[:5]}, r"`labels` must be \(n,\) class indices, or"),
        ({"labels": LABELS[:, None]}, r"`labels` must be \(n,\) class indices, or"),
        ({"labels": LABELS + 1}, "must be integers from 0 to 2"),
        ({"labels": LABELS - 1}, "must be integers from 0 to 2"),
        ({"labels": LABELS.astype(float)}, "must be integers from 0 to 2"),
        ({"labels": np.array(NAMES)[LABELS]}, "must be integers from 0 to 2.*: <U"),
        ({"labels": [0, None, 1, 2, 0, 1]}, "must be integers from 0 to 2.*: object"),
        ({"labels": ONE_HOT.astype(str)}, "must be 0 and 1. Received: <U"),
        ({"labels": ONE_HOT}, r"Pass labels.argmax\(axis=1\)"),
        ({"labels": 2 * ONE_HOT}, r"`labels` \(n, classes\) must be 0 and 1"),
        ({"class_names": ["cat", "dog", "cat"]}, "different names.*'cat' twice"),
        (
            {"class_names": ["cat"], "probabilities": PROBABILITIES[:, :1]},
            "two or more different names",
        ),
        ({"images": ["a.jpg"]}, "`images` must be None, a function of the row, or"),
        ({"images": [np.zeros((8, 8, 3))] * 6}, "ndarray in place of a file"),
        ({"images": lambda row: np.full((8, 8, 3), 0.5)}, r"pixels in \[0, 255\]"),
        (
            {"labels": 1 - ONE_HOT, "threshold": 1.5},
            r"`threshold` must be one number in \[0, 1\)",
        ),
        (
            {"labels": 1 - ONE_HOT, "threshold": [0.5, 0.5]},
            "`threshold` must be one number",
        ),
    ],
)
def test_bad_arguments(changes, message):
    with pytest.raises(ValueError, match=message):
        refused(**changes)
