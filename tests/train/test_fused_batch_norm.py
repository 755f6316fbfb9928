import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.train import fused_batch_norm, lr_find, resumable_fit


def network(**arguments):
    norm = layers.BatchNormalization(momentum=0.8, name="norm", **arguments)
    model = keras.Sequential(
        [
            keras.Input((5, 4, 3)),
            layers.Conv2D(6, 3, kernel_initializer=keras.initializers.HeNormal(1)),
            norm,
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(2, kernel_initializer=keras.initializers.HeNormal(2)),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def is_fused(model):
    function = tf.function(lambda x: model(x, training=True))
    graph = function.get_concrete_function(tf.zeros((2, *model.input_shape[1:]))).graph
    return "FusedBatchNormV3" in {
        operation.type for operation in graph.get_operations()
    }


@pytest.fixture
def arrays(rng):
    return rng.normal(3, 2, (24, 5, 4, 3)).astype("float32"), rng.normal(size=(24, 2))


@pytest.mark.parametrize(
    "arguments",
    [{}, {"scale": False}, {"center": False}, {"epsilon": 0.5}, {"axis": 3}],
)
def test_trains_as_keras_does(arrays, arguments):
    plain, fused = network(**arguments), fused_batch_norm(network(**arguments))
    assert not is_fused(plain)
    assert is_fused(fused)
    losses = [
        model.fit(*arrays, batch_size=7, epochs=3, shuffle=False, verbose=0).history
        for model in (plain, fused)
    ]
    np.testing.assert_allclose(losses[1]["loss"], losses[0]["loss"], rtol=1e-4)
    pairs = zip(fused.get_weights(), plain.get_weights(), strict=True)
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_statistics_of_one_pixel():
    """Its variance is 0: there is nothing to divide by."""
    norm = layers.BatchNormalization(momentum=0.5)
    model = fused_batch_norm(keras.Sequential([keras.Input((1, 1, 2)), norm]))
    assert np.all(model(np.full((1, 1, 1, 2), 8.0), training=True) == 0)
    assert norm.moving_mean.numpy().tolist() == [4, 4]
    assert norm.moving_variance.numpy().tolist() == [0.5, 0.5]


def test_half_precision(arrays):
    """Statistics are float32, as Keras has them."""
    images = arrays[0]
    norms = [layers.BatchNormalization(dtype="mixed_bfloat16") for _ in range(2)]
    models = [keras.Sequential([keras.Input((5, 4, 3)), norm]) for norm in norms]
    fused_batch_norm(models[1])
    expected, found = (model(images, training=True) for model in models)
    assert found.dtype == expected.dtype == tf.bfloat16
    np.testing.assert_allclose(
        *(tf.cast(x, "float32") for x in (found, expected)), atol=0.03
    )
    for name in ("moving_mean", "moving_variance"):
        statistics = [getattr(norm, name) for norm in norms]
        assert statistics[1].dtype == "float32"
        np.testing.assert_allclose(*statistics, rtol=0.01)


def test_the_model_stays_a_plain_one(arrays, tmp_path):
    model = network()
    config = model.get_config()
    expected = model.predict(arrays[0], verbose=0)
    assert fused_batch_norm(fused_batch_norm(model)) is model
    assert model.get_config() == config
    np.testing.assert_array_equal(model.predict(arrays[0], verbose=0), expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not is_fused(loaded)
    np.testing.assert_array_equal(loaded.predict(arrays[0], verbose=0), expected)


def test_a_frozen_layer_is_left_alone(arrays):
    model = fused_batch_norm(network())
    model.get_layer("norm").trainable = False
    assert not is_fused(model)
    before = model.get_layer("norm").get_weights()
    model.compile("sgd", "mse")
    model.fit(*arrays, verbose=0)
    for found, expected in zip(
        model.get_layer("norm").get_weights(), before, strict=True
    ):
        np.testing.assert_array_equal(found, expected)


class Own(layers.BatchNormalization):
    pass


@pytest.mark.parametrize(
    ("shape", "norm"),
    [
        ((5,), layers.BatchNormalization()),
        ((5, 4, 3), layers.BatchNormalization(axis=1)),
        ((5, 4, 3), layers.BatchNormalization(synchronized=True)),
        ((5, 4, 3), layers.BatchNormalization(renorm=True)),
        ((5, 4, 3), layers.BatchNormalization(epsilon=1e-6)),
        ((5, 4, 3), layers.BatchNormalization(dtype="bfloat16")),
        ((5, 4, 3), Own()),
    ],
)
def test_what_the_kernel_does_not_suit_is_keras_own(shape, norm):
    model = fused_batch_norm(keras.Sequential([keras.Input(shape), norm]))
    assert not is_fused(model)
    model.compile("sgd", "mse")
    model.fit(np.ones((4, *shape)), np.ones((4, *shape)), verbose=0)


def test_a_mask_is_kept(arrays):
    norm = layers.BatchNormalization()
    fused_batch_norm(keras.Sequential([keras.Input((5, 4, 3)), norm]))
    mask = np.zeros((24, 5, 4), bool)
    mask[:12] = True
    found = norm(arrays[0], training=True, mask=mask)
    np.testing.assert_allclose(np.mean(found[:12], axis=(0, 1, 2)), 0, atol=1e-5)


def test_what_trains_models_takes_it(arrays):
    data = tf.data.Dataset.from_tensor_slices(arrays).batch(8)
    for train in (lambda m: resumable_fit(m, data, 1), lambda m: lr_find(m, data)):
        model = network()
        model.fit(*arrays, verbose=0)  # what is traced is traced again
        train(model)
        assert is_fused(model)
