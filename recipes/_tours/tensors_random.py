"""Tensors that are drawn, and gradients through a draw."""

import keras
import numpy as np
import tensorflow as tf
from _tours.drawings import histograms
from scipy import stats


def seeds():
    """The same seed, the same numbers."""
    tf.random.set_seed(1)
    first = tf.random.uniform((2,)), tf.random.uniform((2,))
    tf.random.set_seed(1)
    again = tf.random.uniform((2,)), tf.random.uniform((2,))
    first
    again
    tf.reduce_all(tf.stack(first) == tf.stack(again))
    # A stateless draw depends on nothing but its seed.
    tf.random.stateless_uniform((2,), seed=(1, 2))


def distributions(seed):
    """Normal and beta: drawn, and their densities."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(1.0, 2.0, 10_000)
    beta = rng.beta(2.0, 5.0, 10_000)
    {"mean of normal": normal.mean(), "deviation": normal.std()}
    {"mean of beta": beta.mean(), "2 / (2 + 5)": 2 / 7}
    stats.norm(1.0, 2.0).logpdf(1.0)
    -0.5 * np.log(2 * np.pi * 2.0**2)
    stats.beta(2.0, 5.0).pdf(0.2)
    caption = "10,000 draws of a beta distribution (2, 5)"
    histograms(caption, {"beta": beta}, "value", "draws")


def gradient_of_an_expectation(seed):
    """d/dm E[x^2] for x of N(m, s) is 2 m: two estimators of it over 10,000 draws."""
    mean, deviation = tf.Variable(1.5), tf.constant(0.8)
    noise = tf.random.stateless_normal((10_000,), seed=(seed, 0))

    # Pathwise: the draw is written as a function of the mean, x = m + s e.
    with tf.GradientTape() as tape:
        x = mean + deviation * noise
        cost = tf.square(x)
    # Of each draw by itself, so a unit of m for each.
    pathwise = 2.0 * x
    tape.gradient(cost, mean) / 10_000

    # Score function: the cost needs no derivative, log p(x) has it.
    x = tf.stop_gradient(mean + deviation * noise)
    with tf.GradientTape() as tape:
        log_p = -0.5 * tf.square((x - mean) / deviation)
        surrogate = tf.reduce_mean(tf.square(x) * log_p)
    score = tf.square(x) * (x - mean) / deviation**2
    tape.gradient(surrogate, mean)
    {"exact": 2 * mean, "pathwise": np.mean(pathwise), "score": np.mean(score)}
    # The score function needs no derivative of the cost, and many more draws.
    {"pathwise": np.std(pathwise), "score": np.std(score)}
    histograms(
        "What each draw says of the gradient, which is 3",
        {"pathwise": pathwise, "score function": score},
        "gradient",
        "draws",
    )


def divergence():
    """How far one distribution is from another: Keras's loss and the formula."""
    p, q = tf.constant([0.1, 0.6, 0.3]), tf.constant([0.3, 0.3, 0.4])
    tf.keras.losses.KLDivergence()(p[None], q[None])
    tf.reduce_sum(p * tf.math.log(p / q))
    # It is not symmetric.
    tf.reduce_sum(q * tf.math.log(q / p))
    # Cross-entropy is the entropy of p and KL together.
    keras.losses.categorical_crossentropy(p, q) - stats.entropy(p)
