"""Projections by products of two matrices, beside Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.train import fast_projections, lr_find, resumable_fit

SHAPE = (6, 8)


def network(*stages):
    return keras.Sequential([keras.Input(SHAPE), *stages])


def attention(**options):
    """A model whose attention has kernels of three axes, on its way in and out."""
    tokens, mask = keras.Input((None, 8)), keras.Input((None,), dtype="bool")
    look = layers.MultiHeadAttention(2, 4, **options)
    found = look(tokens, tokens, attention_mask=mask[:, None])
    return keras.Model([tokens, mask], found)


def gradients(model, tokens, mask):
    """Of the input and of the weights, and the output."""
    with tf.GradientTape() as tape:
        tape.watch(tokens)
        output = model([tokens, mask], training=True)
        loss = tf.reduce_sum(output**2)
    return [output, *tape.gradient(loss, [tokens, *model.trainable_variables])]


def products(model, training=True):
    """How many products of two matrices a call has."""
    call = tf.function(lambda inputs: model(inputs, training=training))
    inputs = [
        tf.zeros((3, 5, *tensor.shape[2:]), tensor.dtype) for tensor in model.inputs
    ]
    inputs = inputs[0] if len(inputs) == 1 else inputs
    operations = call.get_concrete_function(inputs).graph.get_operations()
    return sum(operation.type == "MatMul" for operation in operations)


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"value_dim": 3}])
def test_gradients_are_those_of_keras(rng, options):
    plain, fast = attention(**options), attention(**options)
    fast.set_weights(plain.get_weights())
    assert fast_projections(fast) is fast
    assert (products(plain), products(fast)) == (0, 4)
    tokens = tf.constant(rng.normal(size=(3, 5, 8)), "float32")
    mask = tf.constant(np.arange(5) < [[5], [3], [4]])
    pairs = zip(
        gradients(fast, tokens, mask), gradients(plain, tokens, mask), strict=True
    )
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_activations_and_other_types(rng):
    stage = layers.EinsumDense(
        "abc,cde->abde", (None, 2, 3), "tanh", "de", dtype="mixed_bfloat16"
    )
    model = network(stage)
    tokens = tf.constant(rng.normal(size=(3, *SHAPE)), "float32")
    expected = model(tokens, training=True)
    found = fast_projections(model)(tokens, training=True)
    assert (found.dtype, products(model)) == (tf.bfloat16, 1)
    np.testing.assert_allclose(
        tf.cast(found, "float32"), tf.cast(expected, "float32"), atol=1e-2
    )


def test_the_model_stays_a_plain_one(rng, tmp_path):
    """Saved, it is what it was, and it predicts to the bit what it did."""
    model = attention()
    config, tokens = model.get_config(), rng.normal(size=(3, 5, 8))
    inputs = [tokens, np.ones((3, 5), bool)]
    expected = model.predict(inputs, verbose=0)
    assert products(fast_projections(fast_projections(model))) == 4
    assert products(model, training=False) == 0
    assert model.get_config() == config
    np.testing.assert_array_equal(model.predict(inputs, verbose=0), expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert products(loaded) == 0
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), expected)


class Own(layers.EinsumDense):
    pass


@pytest.mark.parametrize(
    "stage",
    [
        lambda: Own("abc,cd->abd", (None, 4)),
        lambda: layers.EinsumDense("abc,bd->adc", (4, 8)),
        lambda: layers.EinsumDense("abc,cd->abd", (None, 4), lora_rank=2),
    ],
)
def test_what_does_not_suit_is_keras_own(stage):
    model = fast_projections(network(stage()))
    assert "call" not in vars(model.layers[0])


def test_nothing_is_changed_beside_a_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert products(fast_projections(attention())) == 0


def test_what_trains_models_takes_it(rng):
    arrays = rng.normal(size=(8, *SHAPE)), rng.normal(size=(8, 6, 2, 3))
    data = tf.data.Dataset.from_tensor_slices(arrays).batch(4)
    for train in (lambda m: resumable_fit(m, data, 1), lambda m: lr_find(m, data)):
        model = network(layers.EinsumDense("abc,cde->abde", (None, 2, 3)))
        model.compile(keras.optimizers.SGD(1e-3), "mse")
        model.fit(*arrays, verbose=0)  # what is traced is traced again
        train(model)
        assert products(model) == 1
