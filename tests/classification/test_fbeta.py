import warnings

import keras
import numpy as np
import pytest
from sklearn.metrics import fbeta_score

from kerasdl.classification import FBeta

AVERAGES = ("samples", "macro", "micro")


@pytest.fixture
def answers(rng):
    """Labels, rows without any among them, and probabilities of 50 photos."""
    labels = (rng.random((50, 5)) < 0.3).astype("float32")
    labels[:4] = 0
    probabilities = np.clip(0.5 * labels + rng.random((50, 5)) * 0.7, 0, 1)
    probabilities[:2] = 0
    return labels, probabilities.astype("float32")


def expected(labels, probabilities, beta, average, threshold=0.5, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fbeta_score(
            labels,
            probabilities > threshold,
            beta=beta,
            average=average,
            zero_division=0,
            **options,
        )


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize(("beta", "threshold"), [(2, 0.5), (0.5, 0.3), (1, 0.9)])
@pytest.mark.parametrize("ends", [(50,), (7, 30, 31, 50)])
def test_scikit_learn_in_batches_of_any_size(answers, average, beta, threshold, ends):
    labels, probabilities = answers
    metric = FBeta(beta, average, threshold)
    for start, end in zip((0, *ends), ends, strict=False):
        metric.update_state(labels[start:end], probabilities[start:end])
    wanted = expected(labels, probabilities, beta, average, threshold)
    np.testing.assert_allclose(float(metric.result()), wanted, atol=1e-5)


@pytest.mark.parametrize("average", AVERAGES)
def test_sample_weights(answers, average, rng):
    labels, probabilities = answers
    weights = rng.random(50).astype("float32")
    metric = FBeta(2, average)
    metric.update_state(labels, probabilities, weights)
    wanted = expected(labels, probabilities, 2, average, sample_weight=weights)
    np.testing.assert_allclose(float(metric.result()), wanted, atol=1e-5)


@pytest.mark.parametrize("average", AVERAGES)
def test_a_reset_forgets(answers, average):
    labels, probabilities = answers
    metric = FBeta(average=average)
    metric.update_state(labels, 1 - probabilities)
    metric.reset_state()
    metric.update_state(labels, probabilities)
    wanted = expected(labels, probabilities, 2, average)
    np.testing.assert_allclose(float(metric.result()), wanted, atol=1e-5)


def test_nothing_seen_is_zero():
    assert float(FBeta().result()) == 0


@pytest.mark.parametrize("average", AVERAGES)
def test_in_fit_and_evaluate(answers, average):
    labels, probabilities = answers
    inputs = keras.Input((5,))
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    model.compile(loss="binary_crossentropy", metrics=[FBeta(average=average)])
    found = model.evaluate(
        probabilities, labels, batch_size=8, verbose=0, return_dict=True
    )
    wanted = expected(labels, probabilities, 2, average)
    np.testing.assert_allclose(found["fbeta"], wanted, atol=1e-5)


def test_config():
    metric = FBeta(0.5, "samples", 0.3, name="f05")
    again = FBeta.from_config(metric.get_config())
    assert again.get_config() == metric.get_config()
    assert (again.beta, again.average, again.threshold) == (0.5, "samples", 0.3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"average": "weighted"}, "`average` must be one of 'samples', 'macro'"),
        ({"beta": 0}, "`beta` argument value"),
        ({"threshold": 0}, "`threshold` argument value"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        FBeta(**options)
