import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.inside import feature_maps


def nested_model():
    trunk = keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            layers.Conv2D(5, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(2, name="pool"),
        ]
    )
    inputs = keras.Input((12, 10, 3))
    x = layers.Flatten()(trunk(layers.Rescaling(1 / 255)(inputs)))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    rng = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return model, trunk


def test_equals_the_layer_run_by_itself(rng):
    model, trunk = nested_model()
    image = rng.uniform(0, 255, (12, 10, 3))
    maps = feature_maps(model, image, "conv")
    expected = trunk.get_layer("conv")((image[None] / 255).astype("float32"))[0]
    assert maps.shape == (10, 8, 5)
    np.testing.assert_allclose(maps, expected, atol=1e-5)


def test_saves_each_channel_from_black_to_white(rng, tmp_path):
    model, trunk = nested_model()
    dead = trunk.get_layer("conv")
    dead.kernel.assign(dead.kernel.numpy() * [1, 1, 0, 1, 1])
    dead.bias.assign([0, 0, 0.5, 0, 0])
    image = rng.uniform(0, 255, (12, 10, 3))
    maps = feature_maps(model, image, "pool", tmp_path / "maps.png", columns=3)
    assert maps.shape == (5, 4, 5)
    saved = np.asarray(Image.open(tmp_path / "maps.png").convert("L"))
    factor = 64 // 4  # of a map's smaller side
    height, width = 5 * factor, 4 * factor
    assert saved.shape == (2 * height + 4, 3 * width + 8)
    for number in range(5):
        top = number // 3 * (height + 4)
        left = number % 3 * (width + 4)
        tile = saved[top : top + height, left : left + width][::factor, ::factor]
        one = maps[..., number]
        low, high = one.min(), one.max()
        expected = 255 * (one - low) / (high - low) if high > low else 0 * one
        np.testing.assert_allclose(tile, expected, atol=1.01)
    assert np.ptp(maps[..., 2]) == 0


def test_bad_arguments_are_refused(rng):
    model, _ = nested_model()
    image = rng.uniform(0, 255, (12, 10, 3))
    with pytest.raises(ValueError, match="`layer` must name one layer.*conv, pool"):
        feature_maps(model, image, "dense")
    with pytest.raises(ValueError, match="`image` must be one picture of the model's"):
        feature_maps(model, image[..., 0], "conv")
