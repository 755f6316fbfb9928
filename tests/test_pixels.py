"""Pixels in [0, 1] are refused wherever arrays are taken for pixels in [0, 255]."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl import ImageData, export, interpret, predict, train
from kerasdl._pixels import check_pixels

SIDE = 8
CONV = "conv"


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name=CONV)(x))
    return keras.Model(inputs, layers.Dense(2, "softmax")(x))


def batches(images):
    return tf.data.Dataset.from_tensor_slices((images, np.arange(len(images)) % 2))


DOORS = {
    "from_arrays": lambda m, x: ImageData.from_arrays(x, np.arange(len(x)) % 2, seed=0),
    "Predictor": lambda m, x: predict.Predictor(m, ["a", "b"], SIDE).predict(x),
    "one picture": lambda m, x: predict.Predictor(m, ["a", "b"], SIDE).predict(x[1]),
    "grad_cam": lambda m, x: interpret.grad_cam(m, x[1]),
    "occlusion_map": lambda m, x: interpret.occlusion_map(m, x[1], verbose=0),
    "feature_maps": lambda m, x: interpret.feature_maps(m, x[1], CONV),
    "cached_activations": lambda m, x: train.cached_activations(m, list(x), verbose=0),
    "calibration": lambda m, x: export.quantization_errors(m, x),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_scaled_pixels_are_refused(door, dtype, model, rng, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    images = rng.random((20, SIDE, SIDE, 3)).astype(dtype)
    with pytest.raises(
        ValueError, match=r"must be pixels in \[0, 255\]: scaling is in"
    ):
        DOORS[door](model, images)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("door", DOORS)
def test_dark_uint8_pixels_are_taken(door, model, rng, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    DOORS[door](model, rng.integers(0, 2, (20, SIDE, SIDE, 3), "uint8"))


@pytest.mark.parametrize(
    "values", [[0.0, 0.0], [0.5], [0.0, 255.0], [0.0, 1.01], [np.uint8(1), np.uint8(0)]]
)
def test_what_may_be_pixels(values):
    check_pixels("images", np.array(values))


@pytest.mark.parametrize("values", [[0.0, np.nan], [-0.1, 9], [0, 256], [-1, 255]])
def test_what_is_none(values):
    with pytest.raises(ValueError, match="`images` must be pixels .* values from"):
        check_pixels("images", np.array(values))


def test_several_arrays_are_looked_at_together():
    check_pixels("images", [np.array([0.2, 0.9]), np.array([3.0, 200.0])])
    check_pixels("images", [])
    with pytest.raises(ValueError, match="values from 0.1 to 0.9. Multiply them by"):
        check_pixels("images", [np.array([0.2, 0.9]), np.array([0.1, 0.3])])
