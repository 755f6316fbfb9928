import keras
import numpy as np
import pytest

from kerasdl.models import build_trunk, classifier, squeezenet, with_input_size


def test_equals_the_network_built_at_that_size(rng):
    """EfficientNet-Lite0 with its real weights."""
    small = classifier(build_trunk("efficientnet_lite0", image_size=64), 3, seed=0)
    large = classifier(build_trunk("efficientnet_lite0", image_size=96), 3, seed=0)
    small.get_layer("head_bn").trainable = False
    resized = with_input_size(small, 96)
    pixels = rng.uniform(0, 255, (2, 96, 96, 3)).astype("float32")
    np.testing.assert_allclose(resized(pixels), large(pixels), atol=1e-5)
    assert resized.input_shape == (None, 96, 96, 3)
    flags = {layer.name: layer.trainable for layer in resized.layers}
    assert flags == {layer.name: layer.trainable for layer in small.layers}
    assert not flags["head_bn"]


def test_its_weights_are_its_own():
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(2, 3)(pixels)
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(x))
    before = model.get_weights()
    resized = with_input_size(model, (10, 12))
    resized.set_weights([weights + 1 for weights in before])
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_flatten_has_one_size():
    trunk = build_trunk("vgg16", weights=None, image_size=32, seed=0)
    model = classifier(trunk, 2, "flatten", seed=0)
    with pytest.raises(ValueError, match="`image_size` must suit every layer.*=64"):
        with_input_size(model, 64)


def test_the_blocks_of_a_sequential_build_have_one_size():
    arguments = {"input_shape": (35, 35, 3), "classes": 3, "seed": 0}
    with pytest.raises(ValueError, match="`image_size` must suit every layer.*=64"):
        with_input_size(squeezenet(**arguments, build="sequential"), 64)
    resized = with_input_size(squeezenet(**arguments), 64)
    assert resized.input_shape == (None, 64, 64, 3)
