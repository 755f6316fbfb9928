import numpy as np

from kerasdl.classification import (
    accuracy,
    clearly_lower,
    cross_entropy,
    logistic_baseline,
)


def test_accuracy_of_one_unit_and_of_many():
    one = np.array([[0.1], [0.8], [0.6], [0.4]])
    assert accuracy(one, np.array([0, 1, 0, 0])) == 0.75
    many = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    assert accuracy(many, np.array([0, 1])) == 0.5


def test_cross_entropy_of_one_unit_and_of_many():
    one = np.array([[0.1], [0.8]])
    found = cross_entropy(one, np.array([0, 1]))
    np.testing.assert_allclose(found, -np.log([0.9, 0.8]))
    many = np.array([[0.5, 0.3, 0.2], [0.0, 0.2, 0.8]])
    found = cross_entropy(many, np.array([1, 0]))
    np.testing.assert_allclose(found, -np.log([0.3, 1e-7]))


def test_lower_by_luck_is_not_clearly_lower():
    before = np.array([1.0, 2.0, 3.0, 4.0])
    assert clearly_lower(before - 0.1, before)  # each of them
    assert not clearly_lower(before, before)
    # A mean gain of 0.5, with a standard error of 1 / sqrt(4) = 0.5, and a bit less.
    gains = np.array([0.5, 0.5, 0.5 - np.sqrt(1.5), 0.5 + np.sqrt(1.5)])
    assert not clearly_lower(before - gains, before - 0.001)
    assert clearly_lower(before - gains, before + 0.001)
    assert not clearly_lower(np.array([1.0]), np.array([2.0]))  # of one nothing is


def test_the_baseline_takes_the_smallest_c_that_has_most_validation_photos_right():
    """Two classes apart along the second of two features, of which the first is loud.

    A small C sees the loud one alone, which is noise; from some C on all are right.
    """
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    loud = rng.normal(size=80) * 10
    x = np.stack([loud, labels * 0.5], axis=1)
    features = {"train": x[:60], "valid": x[60:70], "test": x[70:]}
    truth = {"train": labels[:60], "valid": labels[60:70], "test": labels[70:]}
    found = logistic_baseline(features, truth)
    assert (found["valid"], found["test"]) == (1.0, 1.0)
    assert 1e-3 < found["C"] < 100
    del features["test"]
    assert logistic_baseline(features, truth).keys() == {"C", "valid"}
