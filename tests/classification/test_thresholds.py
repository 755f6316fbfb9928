from itertools import product

import numpy as np
import pytest
from sklearn.metrics import fbeta_score

from kerasdl.classification import fit_thresholds, threshold_report

AVERAGES = ("samples", "macro", "micro")


def draw(rng, n, classes=4, digits=None):
    labels = rng.random((n, classes)) < np.linspace(0.6, 0.1, classes)
    labels[0] = True
    probabilities = np.clip(0.4 * labels + rng.random((n, classes)) * 0.6, 0, 1)
    if digits is not None:
        probabilities = probabilities.round(digits)
    return probabilities, labels.astype("float32")


def score(probabilities, labels, thresholds, average, beta=2):
    predicted = probabilities > thresholds
    return fbeta_score(labels, predicted, beta=beta, average=average, zero_division=0)


def cuts(column):
    """A threshold for every way to cut the column in two."""
    values = np.unique(column)
    return [-1, *((values[:-1] + values[1:]) / 2), 1]


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize("beta", [0.5, 2])
def test_macro_is_the_best_of_all(rng, digits, beta):
    probabilities, labels = draw(rng, 12, 3, digits)
    thresholds = fit_thresholds(probabilities, labels, beta, "macro")
    ours = score(probabilities, labels, thresholds, "macro", beta)
    best = max(
        score(probabilities, labels, np.array(choice), "macro", beta)
        for choice in product(*(cuts(column) for column in probabilities.T))
    )
    assert ours == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("digits", [None, 1])
def test_no_other_threshold_of_one_class_is_better(rng, average, digits):
    probabilities, labels = draw(rng, 40, 4, digits)
    thresholds = fit_thresholds(probabilities, labels, 2, average)
    ours = score(probabilities, labels, thresholds, average)
    assert ours > score(probabilities, labels, 0.5, average)
    for column in range(4):
        for cut in cuts(probabilities[:, column]):
            changed = thresholds.copy()
            changed[column] = cut
            assert score(probabilities, labels, changed, average) <= ours + 1e-12


def test_equal_scores_keep_a_half(rng):
    labels = (rng.random((20, 3)) < 0.5).astype(int)
    perfect = 0.1 + 0.8 * labels
    for average in AVERAGES:
        assert fit_thresholds(perfect, labels, 2, average).tolist() == [0.5] * 3
    # Perfectly told apart, but all below a half: just above the negatives.
    low = fit_thresholds(0.1 + 0.2 * labels, labels, 2, "macro")
    np.testing.assert_allclose(low, 0.2)


def test_always_and_never():
    ones = np.ones((4, 1))
    zeros = np.zeros((4, 1), "float32")
    assert (zeros > fit_thresholds(zeros, ones)).all()
    labels = np.array([[0], [0], [1], [0]])
    probabilities = np.array([[0.9], [0.9], [0.1], [1.0]])
    # A label is never worth it where precision counts for almost all.
    assert fit_thresholds(probabilities, 1 - ones, 0.1) == 0.5
    always = fit_thresholds(probabilities, labels, 2, "macro")
    assert (probabilities > always).all()


def test_the_report_is_scikit_learns_on_other_photos(rng):
    fit, other = draw(rng, 200), draw(rng, 100)
    thresholds = fit_thresholds(*fit)
    table = threshold_report(*other, thresholds, ["a", "b", "c", "d"])
    probabilities, labels = other
    assert list(table.index) == ["a", "b", "c", "d", *AVERAGES]
    assert table.photos.tolist() == [*labels.sum(axis=0), 100, 100, 100]
    np.testing.assert_array_equal(table.threshold[:4], thresholds)
    for name, limit in (("at_half", 0.5), ("fitted", thresholds)):
        np.testing.assert_allclose(
            table[name][:4], score(probabilities, labels, limit, None)
        )
        for average in AVERAGES:
            expected = score(probabilities, labels, limit, average)
            assert table.loc[average, name] == pytest.approx(expected)
    # On the photos of the fit itself the score is higher than on others.
    own = threshold_report(*fit, thresholds, ["a", "b", "c", "d"])
    assert own.fitted["samples"] > own.at_half["samples"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probabilities": np.zeros((3, 3))}, r"shapes \(3, 3\) and \(4, 2\)"),
        ({"probabilities": np.zeros(4), "labels": np.zeros(4)}, r"\(n, classes\)"),
        ({"probabilities": np.full((4, 2), 1.5)}, r"in \[0, 1\].*1.5 to 1.5"),
        ({"probabilities": np.full((4, 2), np.nan)}, r"in \[0, 1\]"),
        ({"labels": np.full((4, 2), 2)}, "`labels` must be 0 or 1"),
        ({"beta": 0}, "`beta` must be above 0"),
        ({"average": "weighted"}, "`average` must be one of 'samples'"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    arrays = {"probabilities": np.zeros((4, 2)), "labels": np.ones((4, 2))}
    with pytest.raises(ValueError, match=message):
        fit_thresholds(**arrays | change)


def test_a_report_of_other_classes():
    arrays = np.zeros((4, 2)), np.ones((4, 2))
    with pytest.raises(ValueError, match="1 names, 2 thresholds, 2 columns"):
        threshold_report(*arrays, np.zeros(2), ["a"])


def test_a_report_of_thresholds_that_are_no_numbers():
    with pytest.raises(ValueError, match="`thresholds` must be numbers"):
        threshold_report(np.eye(2), np.eye(2), [0.5, np.nan], ["a", "b"])
