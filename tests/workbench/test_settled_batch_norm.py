"""A short training of a BatchNorm network is tested by settled statistics."""

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from kerasdl import ImageData, workbench

SIDE, COUNT = 6, 40


@pytest.fixture
def data(rng):
    images = rng.integers(0, 256, (COUNT, SIDE, SIDE, 3), "uint8")
    return ImageData.from_arrays(images, np.arange(COUNT) % 2, batch_size=8, seed=0)


def model_with(norm):
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.GlobalAveragePooling2D()(norm(inputs))
    return keras.Model(inputs, layers.Dense(2, "softmax")(x))


def history(steps):
    table = pd.DataFrame({"loss": [1.0]})
    table.attrs["learning_rates"] = [0.1] * steps
    return table


def test_after_a_short_training(data):
    norm = layers.BatchNormalization(name="norm")
    workbench.settle_batch_norm(model_with(norm), data, history(4))
    pixels = np.stack(data.pictures("train")).reshape(-1, 3).astype("float64")
    np.testing.assert_allclose(norm.moving_mean, pixels.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, pixels.var(axis=0), rtol=1e-4)


@pytest.mark.parametrize(("trainable", "steps"), [(True, 1000), (False, 4)])
def test_a_long_training_and_a_frozen_layer_keep_theirs(data, trainable, steps):
    norm = layers.BatchNormalization(trainable=trainable)
    workbench.settle_batch_norm(model_with(norm), data, history(steps))
    np.testing.assert_array_equal(norm.moving_mean, 0)
    np.testing.assert_array_equal(norm.moving_variance, 1)
