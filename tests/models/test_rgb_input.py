import keras
import numpy as np
import pytest

from kerasdl import export, models

GRAY = {"input_shape": (35, 40, 1), "classes": 3, "seed": 1}


@pytest.mark.parametrize("build", [models.squeezenet, models.mobilenet_v1])
@pytest.mark.parametrize("pixels", ["unit", "none"])
def test_computes_the_same_on_gray_pixels(rng, build, pixels):
    network = build(**GRAY, pixels=pixels)
    model = models.with_rgb_input(network)
    assert model.input_shape == (None, 35, 40, 3)
    assert model.count_params() == network.count_params()
    gray = rng.integers(0, 256, (4, 35, 40, 1)).astype("float32")
    rgb = np.repeat(gray, 3, axis=3)
    np.testing.assert_allclose(model(rgb), network(gray), rtol=1e-3, atol=1e-4)


def test_sees_the_luma_of_colours(rng):
    """Recommendation ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B."""
    network = models.lenet5(**GRAY | {"activation": "relu"})
    rgb = rng.integers(0, 256, (4, 35, 40, 3)).astype("float32")
    luma = rgb @ np.float32([[0.299], [0.587], [0.114]])
    found = models.with_rgb_input(network)(rgb)
    np.testing.assert_allclose(found, network(luma), rtol=1e-3, atol=1e-4)


def test_the_saved_model_is_of_keras_own_layers(rng, tmp_path):
    model = models.with_rgb_input(models.lenet5(**GRAY))
    export.save_inference_model(model, tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    rgb = rng.integers(0, 256, (2, 35, 40, 3)).astype("float32")
    np.testing.assert_allclose(loaded(rgb), model(rgb), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ({"build": "sequential"}, r"a Sequential of input_shape=\(None, 35, 40, 1\)"),
        ({"input_shape": (35, 40, 3)}, r"a Functional of input_shape=\(None, 35, 40"),
    ],
)
def test_refuses_other_models(options, received):
    with pytest.raises(ValueError, match=f"functional model of gray.*{received}"):
        models.with_rgb_input(models.lenet5(**GRAY | options))


def merged(merge):
    gray = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(1, 3, padding="same")(gray)
    return keras.Model(gray, merge(x, gray))


@pytest.mark.parametrize(
    "merge",
    [
        lambda x, gray: keras.layers.Concatenate()([x, gray]),
        lambda x, gray: keras.layers.Add()([gray, x]),
        lambda x, gray: keras.layers.Multiply()([x, gray]),
        lambda x, gray: keras.ops.concatenate([x, gray], axis=1),
        lambda x, gray: keras.layers.MultiHeadAttention(1, 2)(x, value=gray),
        lambda x, gray: [x, gray],
        lambda x, gray: {"input": gray, "found": x},
    ],
    ids=["concatenate", "add", "multiply", "operation", "keyword", "output", "dict"],
)
def test_an_input_that_goes_to_several_places(merge, rng):
    network = merged(merge)
    gray = rng.random((2, 8, 8, 1)).astype("float32")
    found = models.with_rgb_input(network)(np.repeat(gray, 3, axis=3))
    expected = network(gray)
    keras.tree.assert_same_structure(found, expected)
    for one, other in zip(*map(keras.tree.flatten, (found, expected)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_an_input_in_a_list(rng):
    gray = keras.Input((8, 8, 1))
    network = keras.Model([gray], keras.layers.Conv2D(2, 3)(gray))
    pixels = rng.random((2, 8, 8, 1)).astype("float32")
    found = models.with_rgb_input(network)(np.repeat(pixels, 3, axis=3))
    np.testing.assert_allclose(found, network([pixels]), rtol=1e-3, atol=1e-3)


def test_a_model_with_a_loss_of_its_own():
    network = models.lenet5(**GRAY)
    network.compile("sgd", lambda y_true, y_pred: keras.ops.mean(y_pred))
    assert not models.with_rgb_input(network).compiled
