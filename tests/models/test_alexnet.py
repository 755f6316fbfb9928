import numpy as np
import pytest
import tensorflow as tf

from kerasdl.models import alexnet, nin
from kerasdl.models.alexnet import local_response_norm


def shapes(model):
    return {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}


@pytest.mark.usefixtures("without_values")
def test_shapes_and_parameters_of_the_paper():
    trunk = alexnet(include_top=False, seed=1)
    found = shapes(trunk)
    assert found["conv1"] == (55, 55, 96)
    assert found["conv2"] == (27, 27, 256)
    assert found["conv3"] == found["conv4"] == (13, 13, 384)
    assert found["conv5"] == (13, 13, 256)
    assert found["pool5"] == (6, 6, 256)
    convs = (
        (11 * 11 * 3 + 1) * 96
        + (5 * 5 * 96 + 1) * 256
        + (9 * 256 + 1) * 384
        + (9 * 384 + 1) * 384
        + (9 * 384 + 1) * 256
    )
    assert trunk.count_params() == convs
    dense = (6 * 6 * 256 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    # "60 million parameters"; two devices save some of these.
    assert convs + dense == 62_378_344


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("build", ["functional", "sequential"])
def test_shapes_of_the_lesson(build):
    """Dive into Deep Learning, section 8.1, prints them for a gray 224x224 image."""
    model = alexnet(input_shape=(224, 224, 1), classes=10, build=build, seed=1)
    found = shapes(model)
    assert found["conv1"] == (54, 54, 96)
    assert found["pool1"] == (26, 26, 96)
    assert found["conv2"] == (26, 26, 256)
    assert found["pool2"] == (12, 12, 256)
    assert found["conv3"] == found["conv4"] == (12, 12, 384)
    assert found["conv5"] == (12, 12, 256)
    assert found["pool5"] == (5, 5, 256)
    assert found["flatten"] == (6400,)
    assert found["fc6"] == found["fc7"] == (4096,)
    assert model.count_params() == 46_764_746


def test_local_response_norm_is_tensorflow_s(rng):
    x = rng.normal(0, 20, (2, 3, 4, 9)).astype("float32")
    expected = tf.nn.local_response_normalization(x, 2, bias=2, alpha=1e-4, beta=0.75)
    np.testing.assert_allclose(local_response_norm(x), expected, rtol=1e-5)


@pytest.mark.parametrize("build", ["functional", "sequential"])
def test_response_norm_follows_the_first_two_convolutions(build):
    arguments = {"input_shape": (67, 67, 3), "units": 8, "classes": 3, "seed": 1}
    plain = alexnet(**arguments, build=build)
    normed = alexnet(**arguments, build=build, response_norm=True)
    assert normed.count_params() == plain.count_params()
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 67, 67, 3)).astype("float32")
    x = pixels / 255
    for number in range(1, 6):
        x = plain.get_layer(f"conv{number}")(x)
        if number < 3:
            x = tf.nn.local_response_normalization(x, 2, bias=2, alpha=1e-4, beta=0.75)
        if number in (1, 2, 5):
            x = plain.get_layer(f"pool{number}")(x)
    for name in ("flatten", "fc6", "fc7", "predictions"):
        x = plain.get_layer(name)(x)
    np.testing.assert_allclose(normed(pixels), x, atol=1e-5)


def test_units():
    with pytest.raises(ValueError, match="`units` must be an integer of at least 1"):
        alexnet(units=0)


@pytest.mark.usefixtures("without_values")
def test_nin_shapes_of_the_lesson():
    """Dive into Deep Learning, section 8.3, prints them for a gray 224x224 image."""
    model = nin(input_shape=(224, 224, 1), classes=10, seed=1)
    found = shapes(model)
    assert found["block1_dense2"] == (54, 54, 96)
    assert found["pool1"] == (26, 26, 96)
    assert found["block2_dense2"] == (26, 26, 256)
    assert found["pool2"] == (12, 12, 256)
    assert found["block3_dense2"] == (12, 12, 384)
    assert found["pool3"] == (5, 5, 384)
    assert found["block4_dense2"] == (5, 5, 10)
    assert found["avg_pool"] == found["predictions"] == (10,)
    blocks = [(1, 96, 11), (96, 256, 5), (256, 384, 3), (384, 10, 3)]
    parameters = sum(
        (size * size * before + 1) * after + 2 * (after + 1) * after
        for before, after, size in blocks
    )
    assert model.count_params() == parameters == 1_992_166


def test_nin_takes_sides_that_are_not_known():
    model = nin(input_shape=(None, None, 3), classes=3, seed=1)
    assert model(np.zeros((1, 67, 80, 3))).shape == (1, 3)
