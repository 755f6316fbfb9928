import keras
import numpy as np
import pytest

from kerasdl.models import BatchNorm
from kerasdl.models.batch_norm import batch_statistics, normalise

SHAPES = [(16, 5), (4, 3, 6, 5)]


def pair(shape, rng, **arguments):
    """Ours and Keras's, with the same weights that no initializer gives."""
    ours = BatchNorm(**arguments)
    theirs = keras.layers.BatchNormalization(**arguments)
    ours.build(shape)
    theirs.build(shape)
    weights = [rng.uniform(0.5, 2, shape[-1:]) for _ in range(4)]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs


def assert_equal_weights(ours, theirs):
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
def test_equals_keras(shape, training, rng):
    ours, theirs = pair(shape, rng, momentum=0.8, epsilon=1e-4)
    for _ in range(3):  # the moving statistics follow
        x = rng.normal(3, 2, shape).astype("float32")
        np.testing.assert_allclose(
            ours(x, training=training), theirs(x, training=training), atol=1e-5
        )
        assert_equal_weights(ours, theirs)


def test_frozen_it_keeps_its_statistics(rng):
    ours, theirs = pair((16, 5), rng)
    ours.trainable = theirs.trainable = False
    before = ours.get_weights()
    x = rng.normal(3, 2, (16, 5)).astype("float32")
    np.testing.assert_allclose(
        ours(x, training=True), theirs(x, training=True), atol=1e-5
    )
    for one, other in zip(ours.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_trains_to_the_same_weights(rng):
    x = rng.normal(3, 2, (32, 8, 8, 3)).astype("float32")
    y = rng.integers(0, 2, 32)
    trained = []
    for norm in (BatchNorm, keras.layers.BatchNormalization):
        kernel = keras.initializers.GlorotUniform(seed=1)
        model = keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                keras.layers.Conv2D(4, 3, kernel_initializer=kernel),
                norm(),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(2, kernel_initializer=kernel),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_batch_comes_out_with_mean_0_and_variance_1(rng):
    x = rng.normal(3, 2, (8, 5, 5, 3))
    mean, variance = batch_statistics(x)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(variance, x.var(axis=(0, 1, 2)))
    y = np.array(normalise(x, mean, variance, gamma=1.0, beta=0.0, epsilon=1e-12))
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, atol=1e-6)


def test_config():
    layer = BatchNorm(momentum=0.8, epsilon=1e-4, name="bn")
    again = BatchNorm.from_config(layer.get_config())
    assert (again.momentum, again.epsilon, again.name) == (0.8, 1e-4, "bn")


def test_errors():
    with pytest.raises(ValueError, match=r"`momentum` must be in \[0, 1\].*=1.5"):
        BatchNorm(momentum=1.5)
    with pytest.raises(ValueError, match="`epsilon` must be above 0.*epsilon=0"):
        BatchNorm(epsilon=0)
