"""Kept activations are of the code that runs now."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasdl
from kerasdl.classification import precompute
from kerasdl.data import ImageData
from kerasdl.train import cached_activations


class Scale(layers.Layer):
    def call(self, x):
        return x / 255

    def compute_output_shape(self, shape):
        return shape


class Inner(keras.Model):
    def call(self, x):
        return x / 255


class Silent(layers.Layer):
    """Its configuration cannot be written."""

    def get_config(self):
        raise NotImplementedError("no configuration")

    def call(self, x):
        return x / 255


def scaled(x):
    return x / 255


def of_a_layer(layer):
    return lambda pixels: layer(pixels)


def in_a_model(pixels):
    inner = keras.Input((8, 8, 3))
    return keras.Model(inner, Scale(name="mine")(inner), name="inner")(pixels)


OWN = {
    "layer": of_a_layer(Scale(name="mine")),
    "Lambda": of_a_layer(layers.Lambda(lambda x: x / 255, name="mine")),
    "function": of_a_layer(layers.Conv2D(2, 1, activation=scaled, name="mine")),
    "lambda": of_a_layer(layers.Conv2D(2, 1, activation=lambda x: x, name="mine")),
    "Activation": of_a_layer(layers.Activation(scaled, name="mine")),
    "model": of_a_layer(Inner(name="mine")),
    "in a model": in_a_model,
    "wrapped": of_a_layer(layers.TimeDistributed(Scale(name="mine"), name="around")),
}


def network(own):
    pixels = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D(name="pool")(own(pixels))
    x = layers.Dense(1, activation="sigmoid", name="top")(x)
    model = keras.Model(pixels, x, name="net")
    for layer in model.layers[:-1]:
        layer.trainable = False
    return model


@pytest.fixture
def data(rng):
    images = rng.integers(0, 256, (8, 8, 8, 3), "uint8")
    return ImageData.from_arrays(images, np.arange(8) % 2, 0.5, batch_size=4, seed=0)


def by_function(model, data, **options):
    cached_activations(model, data.pictures("train"), verbose=0, **options)


def by_precompute(model, data, cache_dir, **options):
    precompute(model, data, None, cache_dir, **options)


def by_learner(model, data, cache_dir, **options):
    model.compile("adam", "binary_crossentropy")
    options |= {"precompute": True, "cache_dir": cache_dir}
    kerasdl.Learner.from_model(model, data, **options).fit(1e-3)


@pytest.mark.parametrize("kind", OWN)
def test_code_of_the_users_own_needs_a_key(kind, data, tmp_path):
    model = network(OWN[kind])
    with pytest.raises(ValueError, match="`cache_key` must.*'mine'.*cache_key='1'"):
        by_function(model, data, cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("door", [by_function, by_precompute, by_learner])
def test_at_every_door(door, data, tmp_path):
    model = network(OWN["layer"])
    with pytest.raises(ValueError, match="`cache_key` must.*'mine'"):
        door(model, data, cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())
    door(model, data, cache_dir=tmp_path, cache_key="1")
    assert list(tmp_path.iterdir())


def test_each_key_has_activations_of_its_own(data, tmp_path):
    model = network(OWN["layer"])
    for key, reused in (("1", 0), ("1", 4), ("2", 0)):
        options = {"verbose": 0, "cache_dir": tmp_path, "cache_key": key}
        found = cached_activations(model, data.pictures("train"), **options)
        assert found.reused == reused


@pytest.mark.parametrize("key", ["", 1, b"1"])
def test_what_is_no_key(key, data, tmp_path):
    with pytest.raises(ValueError, match=f"`cache_key` must be .*cache_key={key!r}"):
        by_function(network(OWN["layer"]), data, cache_dir=tmp_path, cache_key=key)


def test_a_layer_without_a_configuration(data, tmp_path):
    model = network(of_a_layer(Silent()))
    with pytest.raises(ValueError, match="configuration Keras can write.*'net'"):
        by_function(model, data, cache_dir=tmp_path)


def test_what_is_of_training_alone_needs_no_key(data, tmp_path):
    layer = layers.Conv2D(
        *(2, 1),
        kernel_regularizer=lambda kernel: 0.0,
        kernel_initializer=lambda shape, dtype: keras.ops.ones(shape, dtype),
    )
    model = network(of_a_layer(layer))
    model.compile("adam", lambda y_true, y_pred: keras.ops.mean(y_pred))
    by_function(model, data, cache_dir=tmp_path)


def test_layers_named_as_their_activation_are_told_apart(data, tmp_path):
    for name in ("relu", "tanh"):
        keras.utils.set_random_seed(0)
        model = network(of_a_layer(layers.Conv2D(2, 1, activation=name, name=name)))
        options = {"verbose": 0, "cache_dir": tmp_path}
        assert cached_activations(model, data.pictures("train"), **options).reused == 0
