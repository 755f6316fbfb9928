import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.inside import first_layer_filters
from kerasdl.models import build_trunk
from kerasdl.models._pixels import PIXEL_RULES, scale_pixels


def network(rule="none", channels=3, size=(16, 16)):
    inputs = keras.Input((*size, channels))
    x = layers.ZeroPadding2D(1)(scale_pixels(inputs, rule))
    x = layers.Conv2D(6, 3, name="conv")(x)
    x = layers.GlobalMaxPooling2D()(layers.Conv2D(2, 3)(x))
    model = keras.Model(inputs, x)
    rng = np.random.default_rng(3)
    model.get_layer("conv").kernel.assign(rng.normal(size=(3, 3, channels, 6)))
    return model


def test_unscaled_pixels_meet_the_kernel_itself():
    model = network()
    kernel = model.get_layer("conv").kernel.numpy().transpose(3, 0, 1, 2)
    largest = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(first_layer_filters(model), kernel / largest, atol=1e-5)


@pytest.mark.parametrize("rule", PIXEL_RULES)
def test_is_what_pixels_are_weighed_by(rule, rng):
    model = network(rule)
    responses = keras.Model(model.input, model.get_layer("conv").output)
    weights = first_layer_filters(model)
    assert weights.shape == (6, 3, 3, 3)
    assert np.abs(weights).max() == pytest.approx(1)
    changes, sums = [], []
    for _ in range(5):
        pictures = np.zeros((2, 16, 16, 3), "float32")
        pictures[1, 7:10, 4:7] = patch = rng.uniform(0, 255, (3, 3, 3))
        # The convolution's output at the middle of the patch; padding keeps places.
        black, seen = responses.predict_on_batch(pictures)[:, 8, 5]
        changes.append(seen - black)
        sums.append((weights * patch).sum(axis=(1, 2, 3)))
    factors = np.array(changes) / np.array(sums)
    np.testing.assert_allclose(factors, factors[:1].repeat(5, axis=0), rtol=1e-3)
    assert (factors > 0).all()


def test_vgg_reads_bgr_and_its_filters_come_back_in_rgb():
    trunk = build_trunk("vgg16", weights=None, image_size=32, seed=0)
    layer = trunk.get_layer("block1_conv1")
    kernel = np.zeros(layer.kernel.shape)
    kernel[..., 2, :] = 1  # likes the third channel that VGG is given: red
    layer.kernel.assign(kernel)
    weights = first_layer_filters(trunk)
    assert weights[..., 0].min() == pytest.approx(1)
    assert np.abs(weights[..., 1:]).max() < 1e-6


def test_nested_models_and_grey_pictures_of_any_size():
    inner = network(channels=1, size=(None, None))
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, layers.Dense(2)(inner(inputs)))
    np.testing.assert_array_equal(
        first_layer_filters(model), first_layer_filters(inner)
    )
    assert first_layer_filters(model).shape == (6, 3, 3, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_saves_weights_about_grey(tmp_path, channels):
    model = network(channels=channels)
    weights = first_layer_filters(model, tmp_path / "filters.png", columns=4)
    saved = np.asarray(Image.open(tmp_path / "filters.png").convert("RGB"))
    assert saved.shape == (2 * 48 + 4, 4 * 48 + 12, 3)
    second = saved[:48, 52:100][::16, ::16]
    expected = np.broadcast_to(127.5 * (1 + weights[1]), (3, 3, 3))
    np.testing.assert_allclose(second, expected, atol=0.51)


def test_what_has_no_such_filters_is_refused():
    dense = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten()])
    with pytest.raises(ValueError, match="`model` must have a Conv2D layer"):
        first_layer_filters(dense)
    for first in (
        layers.ReLU(threshold=60),
        layers.SeparableConv2D(3, 3, activation="relu"),
    ):
        inputs = keras.Input((16, 16, 3))
        model = keras.Model(inputs, layers.Conv2D(4, 3)(first(inputs)))
        with pytest.raises(ValueError, match="`model` must have a first Conv2D that"):
            first_layer_filters(model)
    inputs = keras.Input((16, 16, 3))
    grouped = keras.Model(inputs, layers.Conv2D(6, 3, groups=3)(inputs))
    with pytest.raises(ValueError, match="`model` must have a first Conv2D that"):
        first_layer_filters(grouped)
