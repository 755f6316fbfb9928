import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.tabular._rare_dropout import dropout_layer


def drop(layer, shape=(64, 50)):
    return layer(tf.ones(shape), training=True).numpy()


@pytest.mark.parametrize("rate", [0.001, 0.04, 0.1])
def test_units_are_dropped_each_by_itself(rate):
    layer = dropout_layer(rate, 1, "drop")
    found = np.stack([drop(layer) for _ in range(30)])
    np.testing.assert_allclose(found[found > 0], 1 / (1 - rate), rtol=1e-6)
    dropped = found == 0
    for part, axes in ((dropped, None), (dropped, (0, 1)), (dropped, (0, 2))):
        expected = math.sqrt(rate * (1 - rate) * part.size / part.mean(axes).size)
        counts = part.sum(axes)
        assert np.all(np.abs(counts - rate * part.size / counts.size) < 5 * expected)
    pairs = (dropped[:, 1:] & dropped[:, :-1]).sum()  # two below each other
    count = rate**2 * dropped[:, 1:].size
    assert abs(pairs - count) < 5 * math.sqrt(count) + 1


def test_places_are_sums_of_geometric_gaps():
    layer = dropout_layer(0.1, 3, "drop")
    draws = tf.random.stateless_uniform([400], layer.seed_generator.state.value)
    place, kept = -1, np.ones(1000)
    for number in draws.numpy():
        place += 1 + int(math.log1p(-number) / math.log(0.9))
        if place < len(kept):
            kept[place] = 0
    assert place > len(kept) and np.array_equal(
        drop(layer, (10, 100)) > 0, kept.reshape(10, 100) > 0
    )


def test_hardly_any_unit_is_dropped():
    assert drop(dropout_layer(1e-12, 1, "drop")).all()


def test_gradients_go_where_units_stay():
    layer = dropout_layer(0.1, 1, "drop")
    x = tf.ones((30, 20))
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = tf.function(layer)(x, training=True)
    assert np.array_equal(tape.gradient(outputs, x), outputs)


def test_a_seed_drops_the_same_and_the_next_batch_others():
    one, same = (dropout_layer(0.1, 7, "drop") for _ in range(2))
    first = drop(one)
    assert np.array_equal(first, drop(same)) and not np.array_equal(first, drop(one))


@pytest.mark.parametrize("options", [{"rate": 0.2}, {"dtype": "float16"}])
def test_what_takes_no_longer_is_keras_s_own(options):
    rate, dtype = options.get("rate", 0.1), options.get("dtype", "float32")
    layer = dropout_layer(rate, 1, "drop")
    x = tf.ones((20, 30), dtype)
    expected = keras.layers.Dropout(rate, seed=1, dtype=dtype)(x, training=True)
    layer.dtype_policy = dtype
    assert np.array_equal(layer(x, training=True), expected)


def test_answers_and_files_are_of_a_plain_layer(tmp_path):
    layer = dropout_layer(0.1, 1, "drop")
    assert type(layer) is keras.layers.Dropout
    assert np.array_equal(layer(tf.ones((5, 9))), np.ones((5, 9)))
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras").layers[0]
    assert "call" not in vars(loaded)
    assert loaded.get_config() == layer.get_config()
