import numpy as np
import pytest
from scipy.special import expit, softmax

from kerasdl.classification import best_temperature, cross_entropy, soften


def test_logits_are_divided_by_the_temperature():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    found = soften(softmax(logits, axis=1), 2.5)
    np.testing.assert_allclose(found, softmax(logits / 2.5, axis=1), atol=1e-6)
    logits = logits[:, :1]  # one unit
    np.testing.assert_allclose(soften(expit(logits), 3), expit(logits / 3), atol=1e-6)


@pytest.mark.parametrize("classes", [1, 4])
def test_the_temperature_that_made_them_too_certain_is_found(classes):
    """Labels are drawn by the probabilities of logits, which then grow threefold."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, max(classes, 2)))
    probabilities = softmax(logits, axis=1)
    labels = (rng.random((20_000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    certain = softmax(3 * logits, axis=1)
    if classes == 1:
        certain = certain[:, 1:]
    temperature = best_temperature(certain, labels)
    assert temperature == pytest.approx(3, rel=0.1)
    softened = cross_entropy(soften(certain, temperature), labels).mean()
    assert softened < cross_entropy(certain, labels).mean()


def test_nothing_becomes_more_certain():
    outputs = np.array([[0.6, 0.4], [0.3, 0.7]])
    assert best_temperature(outputs, np.array([0, 1])) == 1.0
