"""Pooling of built-in operations, beside loops over windows."""

import keras
import numpy as np
import pytest

from kerasdl.models import lp_pooling, mixed_pooling, stochastic_pooling


def by_windows(x, size, function):
    """`function` of each window, `(size * size,)`, one after the other."""
    batch, height, width, channels = x.shape
    out = np.zeros((batch, height // size, width // size, channels))
    for place in np.ndindex(out.shape):
        b, i, j, c = place
        window = x[b, i * size : (i + 1) * size, j * size : (j + 1) * size, c]
        out[place] = function(window.ravel().astype("float64"))
    return out


def weighted(window):
    window = np.maximum(window, 0)
    return (window**2).sum() / window.sum() if window.any() else 0


@pytest.mark.parametrize("order", [1, 2, 7.5])
def test_lp_is_a_norm_of_each_window(rng, order):
    x = rng.normal(size=(2, 7, 6, 3)).astype("float32") * 255
    expected = by_windows(x, 3, lambda w: (np.abs(w) ** order).sum() ** (1 / order))
    np.testing.assert_allclose(lp_pooling(x, 3, order), expected, rtol=1e-4)


def test_a_high_order_is_the_largest_magnitude(rng):
    x = rng.normal(size=(1, 4, 4, 2)).astype("float32") * 1e6
    expected = by_windows(x, 2, lambda w: np.abs(w).max())
    np.testing.assert_allclose(lp_pooling(x, 2, 200), expected, rtol=0.01)


def test_mixed_and_stochastic(rng):
    x = rng.normal(size=(2, 5, 4, 3)).astype("float32")
    expected = by_windows(x, 2, lambda w: 0.3 * w.max() + 0.7 * w.mean())
    np.testing.assert_allclose(mixed_pooling(x, 2, 0.3), expected, atol=1e-6)
    np.testing.assert_allclose(
        stochastic_pooling(x, 2), by_windows(x, 2, weighted), atol=1e-6
    )


@pytest.mark.parametrize("pool", [lp_pooling, stochastic_pooling])
def test_a_window_of_zeros_gives_zero_and_a_finite_slope(pool):
    import tensorflow as tf

    x = tf.Variable(tf.zeros((1, 4, 4, 1)))
    with tf.GradientTape() as tape:
        y = pool(x)
    assert not np.any(y)
    assert np.all(np.isfinite(tape.gradient(y, x)))


def test_it_saves_as_built_in_operations(rng, tmp_path):
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(
        inputs, stochastic_pooling(mixed_pooling(lp_pooling(inputs), 2, 0.25), 2)
    )
    assert {operation.__module__.split(".")[0] for operation in model.operations} == {
        "keras"
    }
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = rng.normal(size=(2, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(again(x), model(x), rtol=1e-6)


def test_errors(rng):
    x = rng.normal(size=(1, 4, 4, 1))
    for pool in (lp_pooling, mixed_pooling, stochastic_pooling):
        with pytest.raises(ValueError, match="`pool_size` must be .* pool_size=0"):
            pool(x, 0)
    with pytest.raises(ValueError, match="`order` must be .* order=0.5"):
        lp_pooling(x, 2, 0.5)
    with pytest.raises(ValueError, match="`share` must be .* share=2"):
        mixed_pooling(x, 2, 2)
    with pytest.raises(ValueError, match="`x` must have known sides"):
        lp_pooling(keras.Input((None, 8, 3)))
