import keras
import numpy as np
import pytest
from keras import layers

from kerasdl import models

NAMES = ("mobilenet", "efficientnet_b0")
MEANS = np.array([123.68, 116.779, 103.939], "float32")  # of the rule "caffe"


@pytest.fixture(scope="module")
def trunk():
    """BGR minus its means, then two convolutions."""
    return models.convnet(False, None, (48, 48, 3), None, 2, pixels="caffe", seed=1)


@pytest.fixture
def rgb(rng):
    return rng.uniform(0, 255, (2, 48, 48, 3)).astype("float32")


def assert_same(ours, theirs):
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(np.asarray(ours) / scale, theirs / scale, atol=1e-5)


@pytest.mark.parametrize("kind", ["mean", "copy", "zero"])
def test_three_of_five_channels_are_what_they_were(kind, trunk, rgb, rng):
    model = models.with_channels(trunk, 5, kind)
    assert model.input_shape == (None, 48, 48, 5)
    kernel, wide = (m.get_layer("conv1").kernel.numpy() for m in (trunk, model))
    np.testing.assert_array_equal(wide[:, :, :3], kernel)
    # Pixels of what the rule scales to 0 say nothing.
    silent = np.full((2, 48, 48, 2), MEANS.mean())
    if kind == "copy":
        silent[:] = MEANS[:2]  # scaled as R and G
        np.testing.assert_array_equal(wide[:, :, 3:], kernel[:, :, [2, 1]])  # of BGR
    elif kind == "mean":
        mean = kernel.mean(axis=2)
        np.testing.assert_allclose(wide[:, :, 3], mean, atol=1e-6)
    else:
        silent = rng.uniform(0, 255, silent.shape)
    pixels = np.concatenate([rgb, silent.astype("float32")], axis=-1)
    assert_same(model(pixels), trunk(rgb))


@pytest.mark.parametrize(
    ("kind", "channels", "missing"),
    [
        ("copy", 1, lambda x: x[..., [0, 0]]),
        ("copy", 2, lambda x: x[..., [0]]),
        ("mean", 2, lambda x: x.mean(axis=-1, keepdims=True)),
        ("zero", 1, lambda x: np.broadcast_to(MEANS[1:], (*x.shape[:3], 2))),
    ],
)
def test_fewer_channels_are_completed(kind, channels, missing, trunk, rgb):
    model = models.with_channels(trunk, channels, kind)
    given = rgb[..., :channels]
    whole = np.concatenate([given, missing(given)], axis=-1)
    assert_same(model(given), trunk(whole))
    assert model.count_params() == trunk.count_params()


@pytest.mark.parametrize("name", NAMES)
def test_any_trunk_takes_four(name, rng):
    trunk = models.build_trunk(name, None, 32, seed=1)
    model = models.with_channels(trunk, 4, "zero")
    pixels = rng.uniform(0, 255, (1, 32, 32, 4)).astype("float32")
    assert_same(model(pixels), trunk(pixels[..., :3]))


def test_it_is_saved_as_plain_keras_and_trains(trunk, rgb, tmp_path):
    model = models.with_channels(trunk, 4)
    model.save(tmp_path / "four.keras")
    pixels = np.concatenate([rgb, rgb[..., :1]], axis=-1)
    assert_same(models.load_model(tmp_path / "four.keras")(pixels), model(pixels))
    x = layers.GlobalAveragePooling2D()(model.output)
    head = keras.Model(model.input, layers.Dense(1)(x))
    head.compile("sgd", "mse")
    before = model.get_layer("conv1").kernel.numpy()
    head.train_on_batch(pixels, np.ones((2, 1)))
    after = model.get_layer("conv1").kernel.numpy()
    assert np.abs(after - before)[:, :, 3].max() > 0


@pytest.mark.parametrize("channels", [2, 4])
def test_it_is_a_network_of_its_own(channels, trunk, rng):
    wanted = {s: layer.name for s, layer in models.feature_levels(trunk).items()}
    before = trunk.get_weights()
    trunk.get_layer("conv2").trainable = False
    model = models.with_channels(trunk, channels)
    trunk.trainable = True
    found = {s: layer.name for s, layer in models.feature_levels(model).items()}
    assert found == wanted
    assert [one.name for one in model.layers if not one.trainable] == ["conv2"]
    model.set_weights([weight + 1 for weight in model.get_weights()])
    for now, then in zip(trunk.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_what_does_not_suit(trunk):
    with pytest.raises(ValueError, match="`channels` must be"):
        models.with_channels(trunk, 0)
    with pytest.raises(ValueError, match="`kind` must be one of 'mean', 'copy'"):
        models.with_channels(trunk, 4, "sum")
    gray = models.lenet5(seed=1)
    with pytest.raises(ValueError, match="`model` must be flat, take RGB"):
        models.with_channels(gray, 3)
    pixels = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 3, padding="same", name="first")(pixels)
    around = keras.Model(pixels, layers.Add()([x, pixels]))
    with pytest.raises(ValueError, match="not all goes through 'first'"):
        models.with_channels(around, 4)
    both = keras.Model(pixels, [x, layers.ReLU()(x)])
    with pytest.raises(ValueError, match="have one output. .* with 2 outputs"):
        models.with_channels(both, 4)
