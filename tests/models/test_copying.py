import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.models import copy_weights, with_input_size


class Shift(keras.Model):
    """A model with a weight of its own."""

    def build(self, shape):
        self.shift = self.add_weight(shape=(shape[-1],), initializer="normal")

    def call(self, x):
        return x + self.shift


def trunk(name, filters=4):
    """Takes images of any size."""
    pixels = keras.Input((None, None, 3))
    x = layers.Conv2D(filters, 3, name="conv")(pixels)
    x = layers.BatchNormalization(name="bn")(x)
    return keras.Model(pixels, x, name=name)


def side_by_side(size=16, names=("left", "right")):
    pixels = keras.Input((size, size, 3))
    both = layers.Concatenate()([trunk(name)(pixels) for name in names])
    x = layers.GlobalAveragePooling2D()(both)
    return keras.Model(pixels, layers.Dense(3, name="top")(x))


def deep(size=16):
    """A model in a model in a model."""
    pixels = keras.Input((size, size, 3))
    any_size = keras.Input((None, None, 3))
    inner = keras.Model(any_size, trunk("trunk")(any_size), name="inner")
    x = layers.Conv2D(4, 3, name="conv")(inner(pixels))
    return keras.Model(pixels, layers.GlobalMaxPooling2D()(x))


def with_own_weights(size=16):
    pixels = keras.Input((size, size, 3))
    x = layers.Conv2D(4, 3, name="conv")(Shift(name="shift")(pixels))
    return keras.Model(pixels, layers.GlobalMaxPooling2D()(Shift(name="shift2")(x)))


def shared(size=16):
    """One model, called on two views of the pixels."""
    pixels = keras.Input((size, size, 3))
    part = trunk("part")
    views = [part(pixels), part(layers.Rescaling(-1)(pixels))]
    return keras.Model(pixels, layers.GlobalMaxPooling2D()(layers.Add()(views)))


def fill(model, seed=0):
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(generator.uniform(0.5, 1.5, weight.shape))
    return model


def assert_equal(weights, others):
    for ours, theirs in zip(weights, others, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


BUILDS = pytest.mark.parametrize(
    "build", [side_by_side, deep, with_own_weights, shared]
)


@BUILDS
def test_another_input_size_keeps_every_weight(build, rng):
    model = fill(build())
    resized = with_input_size(model, 24)
    assert resized.input_shape == (None, 24, 24, 3)
    assert_equal(resized.weights, model.weights)
    images = rng.normal(size=(2, 16, 16, 3)).astype("float32")
    back = with_input_size(resized, 16)
    np.testing.assert_allclose(back(images), model(images), rtol=1e-5, atol=1e-5)


@BUILDS
def test_another_input_size_keeps_what_trains(build):
    model = build()
    for layer in model.layers[1:2]:
        layer.trainable = False
    model.weights[-1].trainable = False
    flags = [weight.trainable for weight in with_input_size(model, 24).weights]
    assert flags == [weight.trainable for weight in model.weights]


@BUILDS
def test_a_second_build_takes_every_weight(build):
    source, target = fill(build()), build()
    copy_weights(source, target)
    assert_equal(target.weights, source.weights)


def test_models_of_the_same_names_find_each_other():
    source, target = fill(side_by_side()), side_by_side(names=("right", "left"))
    copy_weights(source, target)
    for name in ("left", "right"):
        ours, theirs = target.get_layer(name), source.get_layer(name)
        assert_equal(ours.weights, theirs.weights)


def test_models_of_other_names_go_by_their_place():
    source, target = fill(side_by_side()), side_by_side(names=("one", "two"))
    copy_weights(source, target)
    assert_equal(target.weights, source.weights)


def test_a_part_goes_to_the_layers_of_its_names():
    source, target = fill(trunk("left")), side_by_side(names=("left", "right"))
    with pytest.raises(ValueError, match="where several layers are named 'bn'; .*conv"):
        copy_weights(source, target)
    whole = deep()
    whole.layers[-2].name = "conv2"
    copy_weights(source, whole)
    assert_equal(whole.layers[1].weights, source.weights)
    assert np.ptp(whole.layers[2].get_weights()[1]) == 0  # as it began


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (lambda: trunk("trunk", 5), "layer 'conv' has shapes .*5.* instead of .*4"),
        (with_own_weights, "layer 'bn' is missing"),
    ],
)
def test_what_does_not_fit_changes_nothing(target, message):
    target = target()
    before = target.get_weights()
    with pytest.raises(ValueError, match=f"`target` must hold every.*where.*{message}"):
        copy_weights(fill(trunk("trunk")), target)
    for weight, value in zip(target.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_a_layer_that_is_made_otherwise_is_refused():
    class Grows(layers.Dense):
        def get_config(self):
            return {**super().get_config(), "units": self.units + 1}

    pixels = keras.Input((8, 8, 3))
    x = layers.GlobalMaxPooling2D()(pixels)
    model = keras.Model(pixels, Grows(2)(x), name="grows")
    with pytest.raises(ValueError, match="that can be made again as they are.*'grows'"):
        with_input_size(model, 16)
