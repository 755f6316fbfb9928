"""The squared relative error, beside its measure and by hand."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl import tabular


def test_it_is_the_square_of_the_measure(rng):
    sold = np.exp(rng.normal(8, 0.5, 200))
    found = sold * np.exp(rng.uniform(-1, 0.39, 200))
    spread, mean = np.log(sold).std(), np.log(sold).mean()
    on_scale = [(np.log(part)[:, None] - mean) / spread for part in (sold, found)]
    loss = tabular.MeanSquaredRelativeError(spread)(*on_scale)
    assert math.sqrt(float(loss)) == pytest.approx(tabular.exp_rmspe(sold, found), 1e-4)


def test_far_above_the_truth_it_goes_on_as_a_line():
    loss = tabular.MeanSquaredRelativeError(2.0, steepest=0.5)
    share = math.expm1(0.5) + math.exp(0.5) * 0.5  # of a logarithm 1.0 too high
    assert float(loss(np.array([[3.0]]), np.array([[3.5]]))) == pytest.approx(share**2)
    answers = tf.constant([[0.2499], [0.2501]])
    with tf.GradientTape() as tape:
        tape.watch(answers)
        total = loss(tf.zeros((2, 1)), answers)
    before, behind = tape.gradient(total, answers).numpy()[:, 0]
    assert before == pytest.approx(behind, 1e-2)


def test_the_best_answer_lies_below_the_mean_of_logarithms(rng):
    # Of a normal logarithm by 1.5 of its variances: E[r] / E[r^2] for r = 1 / truth.
    logarithms = rng.normal(0, 0.1, (20_000, 1))
    loss = tabular.MeanSquaredRelativeError()
    answers = np.linspace(-0.03, 0.0, 31)
    losses = [float(loss(logarithms, np.full_like(logarithms, x))) for x in answers]
    assert answers[np.argmin(losses)] == pytest.approx(-1.5 * 0.1**2, abs=2.5e-3)


def test_it_is_saved_with_its_arguments():
    loss = tabular.MeanSquaredRelativeError(0.42, steepest=0.3)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert (again.spread, again.steepest) == (0.42, 0.3)


@pytest.mark.parametrize("wrong", [{"spread": 0}, {"steepest": -1}])
def test_what_is_not_above_zero_is_refused(wrong):
    with pytest.raises(ValueError, match="must be above 0. Received"):
        tabular.MeanSquaredRelativeError(**wrong)


def test_the_learner_takes_it(of_shops):
    data = of_shops(scale="log")
    loss = tabular.MeanSquaredRelativeError(data.target.spread)
    learn = tabular.Learner(tabular.linear(data, seed=0), data, loss=loss)
    learn.fit(1e-2, 1, verbose=0)
    assert learn.model.loss is loss
