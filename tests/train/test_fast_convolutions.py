import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.train import fast_convolutions, lr_find, resumable_fit

SHAPE = (9, 8, 6)


def network(*stages, shape=SHAPE):
    return keras.Sequential([keras.Input(shape), *stages])


def is_fast(model, training=True):
    """Whether a step has a product of matrices, or a gradient that is not oneDNN's."""

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=training) ** 2)
        return tape.gradient(loss, model.trainable_variables)

    graph = step.get_concrete_function(tf.zeros((2, *model.input_shape[1:]))).graph
    return any(
        operation.type == "MatMul"
        or operation.type == "DepthwiseConv2dNativeBackpropFilter"
        and operation.get_attr("padding") == b"EXPLICIT"
        for operation in graph.get_operations()
    )


def gradients(model, pixels):
    """Of the input and of the weights, and the output."""
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        output = model(pixels, training=True)
        loss = tf.reduce_sum(output**2)
    return [output, *tape.gradient(loss, [pixels, *model.trainable_variables])]


@pytest.mark.parametrize(
    "stage",
    [
        lambda: layers.Conv2D(5, 1),
        lambda: layers.Conv2D(5, 1, use_bias=False, activation="relu"),
        *(
            lambda size=size, strides=strides, padding=padding: layers.DepthwiseConv2D(
                size, strides, padding, use_bias=False
            )
            for size, strides, padding in (
                (5, 1, "same"),
                (5, 2, "same"),
                (4, 3, "same"),
                (7, 2, "valid"),
                ((3, 5), 1, "valid"),
            )
        ),
    ],
)
def test_gradients_are_those_of_keras(rng, stage):
    plain, fast = network(stage()), network(stage())
    fast.set_weights(plain.get_weights())
    assert fast_convolutions(fast) is fast
    assert is_fast(fast)
    assert not is_fast(plain)
    pixels = tf.constant(rng.normal(size=(3, *SHAPE)), "float32")
    pairs = zip(gradients(fast, pixels), gradients(plain, pixels), strict=True)
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_a_second_call_keeps_the_traced_step(rng):
    model = fast_convolutions(network(layers.Conv2D(5, 1)))
    model.train_function = traced = object()
    assert fast_convolutions(model).train_function is traced


def test_images_of_any_size(rng):
    model = network(
        layers.Conv2D(5, 1),
        layers.DepthwiseConv2D(5, use_bias=False),
        shape=(None, None, 3),
    )
    pixels = tf.constant(rng.normal(size=(2, 7, 9, 3)), "float32")
    expected = gradients(model, pixels)
    fast_convolutions(model)
    found = tf.function(lambda x: gradients(model, x))
    found = found.get_concrete_function(tf.TensorSpec((None, None, None, 3)))(pixels)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_model_stays_a_plain_one(rng, tmp_path):
    """Saved, it is what it was, and it predicts to the bit what it did."""
    inner = network(layers.DepthwiseConv2D(5, use_bias=False), layers.Conv2D(4, 1))
    model = network(inner, layers.GlobalAveragePooling2D())
    config, pixels = model.get_config(), rng.normal(size=(4, *SHAPE))
    expected = model.predict(pixels, verbose=0)
    assert is_fast(fast_convolutions(fast_convolutions(model)))
    assert not is_fast(model, training=False)
    assert model.get_config() == config
    np.testing.assert_array_equal(model.predict(pixels, verbose=0), expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not is_fast(loaded)
    np.testing.assert_array_equal(loaded.predict(pixels, verbose=0), expected)


class Own(layers.Conv2D):
    pass


@pytest.mark.parametrize(
    "stage",
    [
        lambda: layers.Conv2D(4, 3),
        lambda: layers.Conv2D(4, 1, strides=2),
        lambda: layers.Conv2D(4, 1, dtype="mixed_bfloat16"),
        lambda: Own(4, 1),
        lambda: layers.DepthwiseConv2D(3, use_bias=False),
        lambda: layers.DepthwiseConv2D(5),
        lambda: layers.DepthwiseConv2D(5, use_bias=False, activation="relu"),
        lambda: layers.DepthwiseConv2D(5, use_bias=False, depth_multiplier=2),
    ],
)
def test_what_does_not_suit_is_keras_own(stage):
    assert not is_fast(fast_convolutions(network(stage())))


def test_nothing_is_changed_beside_a_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert not is_fast(fast_convolutions(network(layers.Conv2D(5, 1))))


def test_what_trains_models_takes_it(rng):
    arrays = rng.normal(size=(8, *SHAPE)), rng.normal(size=(8, 2))
    data = tf.data.Dataset.from_tensor_slices(arrays).batch(4)
    for train in (lambda m: resumable_fit(m, data, 1), lambda m: lr_find(m, data)):
        model = network(layers.Conv2D(2, 1), layers.GlobalAveragePooling2D())
        model.compile(keras.optimizers.SGD(1e-3), "mse")
        model.fit(*arrays, verbose=0)  # what is traced is traced again
        train(model)
        assert is_fast(model)
