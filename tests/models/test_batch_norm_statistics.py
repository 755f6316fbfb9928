import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.models import recompute_batch_norm


@pytest.fixture
def images(rng):
    return rng.normal(3, 2, (11, 4, 5, 3)).astype("float32")


def norms_of(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, layers.BatchNormalization)
    ]


def scrambled(model):
    """Statistics of no data at all."""
    for norm in norms_of(model):
        norm.moving_mean.assign(norm.moving_mean + 9)
        norm.moving_variance.assign(norm.moving_variance * 50)
    return model


@pytest.mark.parametrize("batch_size", [1, 4, 11])
def test_one_layer_has_mean_and_variance_of_all_that_it_is_given(images, batch_size):
    model = scrambled(
        keras.Sequential(
            [
                keras.Input((4, 5, 3)),
                layers.Dropout(0.5),
                layers.BatchNormalization(center=False),
            ]
        )
    )
    data = tf.data.Dataset.from_tensor_slices((images, np.zeros(11))).batch(batch_size)
    recompute_batch_norm(model, data)
    norm = model.layers[-1]
    expected = images.astype("float64")
    np.testing.assert_allclose(norm.moving_mean, expected.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, expected.var((0, 1, 2)), rtol=1e-4)


def nested_model():
    inner = keras.Sequential(
        [keras.Input((4, 5, 6)), layers.Conv2D(4, 2), layers.BatchNormalization()]
    )
    inputs = keras.Input((4, 5, 3))
    shared = layers.BatchNormalization(scale=False)
    x = layers.Concatenate()([shared(inputs), shared(inputs * 2)])
    x = layers.ReLU()(inner(x))
    x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.BatchNormalization(axis=-1)(x))


def test_nested_and_shared_layers_as_keras_in_training_with_one_batch(images):
    """With momentum 0 Keras's moving statistics are those of the last batch."""
    model = nested_model()
    other = nested_model()
    other.set_weights(model.get_weights())
    for layer in other._flatten_layers():
        if isinstance(layer, layers.Dropout):
            layer.rate = 0
    for norm in norms_of(other):
        norm.momentum = 0.0
    other(images, training=True)
    recompute_batch_norm(scrambled(model), [images])
    shared, *others = zip(norms_of(model), norms_of(other), strict=True)
    assert len(others) == 2
    for ours, wanted in others:
        np.testing.assert_allclose(ours.moving_mean, wanted.moving_mean, atol=1e-5)
        np.testing.assert_allclose(
            ours.moving_variance, wanted.moving_variance, rtol=1e-4
        )
    # The shared one was given the images twice: as they are, and doubled.
    both = np.concatenate([images, images * 2]).astype("float64").reshape(-1, 3)
    np.testing.assert_allclose(shared[0].moving_mean, both.mean(0), rtol=1e-5)
    np.testing.assert_allclose(shared[0].moving_variance, both.var(0), rtol=1e-4)


def test_frozen_layers_and_everything_else_stay(images):
    model = nested_model()
    frozen = model.layers[-1]
    frozen.trainable = False
    norms = [norm for norm in norms_of(model) if norm is not frozen]
    moving = {id(v) for n in norms for v in (n.moving_mean, n.moving_variance)}
    before = {id(v): v.numpy() for v in model.variables}
    recompute_batch_norm(model, [images[:6], images[6:]])
    for variable in model.variables:
        same = np.array_equal(variable.numpy(), before[id(variable)])
        assert same == (id(variable) not in moving), variable.path


def test_an_error_in_the_data_changes_nothing(images):
    def broken():
        yield images
        raise OSError("no such photo")

    model = nested_model()
    before = model.get_weights()
    expected = model(images)
    with pytest.raises(OSError, match="no such photo"):
        recompute_batch_norm(model, broken())
    for ours, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, wanted)
    np.testing.assert_array_equal(model(images), expected)


def test_no_data():
    with pytest.raises(ValueError, match="`data` must hold batches"):
        recompute_batch_norm(nested_model(), [])
