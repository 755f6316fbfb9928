import importlib
import os
import socket
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from keras.applications import imagenet_utils
from keras.src.backend import config
from keras.src.backend.common import global_state
from keras.src.utils import file_utils

from kerasdl.models import backbones, copy_weights
from kerasdl.models.backbones import (
    BACKBONES,
    Backbone,
    backbone,
    build_trunk,
)

# Parameters of keras.applications without the top, where they are published.
PARAMETERS = {
    "vgg16": 14_714_688,
    "vgg19": 20_024_384,
    "resnet50": 23_587_712,
    "xception": 20_861_480,
    "inception_v3": 21_802_784,
}
QUICK = ("vgg16", "mobilenet", "efficientnet_b0")
OF_KERAS = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name in BACKBONES
    if name != "efficientnet_lite0"
]


@pytest.fixture
def pixels():
    return np.random.default_rng(0).uniform(0, 255, (2, 48, 64, 3)).astype("float32")


@pytest.fixture(scope="module")
def small_trunk():
    return build_trunk("mobilenet_v3_small", None, 32, seed=1)


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty cache of Keras's, which reads KERAS_HOME once, at its import."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined or non-square")
@pytest.mark.parametrize("name", OF_KERAS)
def test_is_the_network_of_keras_applications(name, pixels, monkeypatch):
    """On pixels that `preprocess_input` scaled, with the weights of that network."""
    row = backbone(name)
    asked = []
    monkeypatch.setattr(
        file_utils, "get_file", lambda name, *_, **__: asked.append(name)
    )
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_: None)
    # EfficientNetB0 has another graph for "imagenet"; the weights stay random here.
    if min(pixels.shape[1:3]) < row.min_image_size:
        pixels = pixels.repeat(2, axis=1).repeat(2, axis=2)
    shape = pixels.shape[1:]
    theirs = row.builder(include_top=False, weights="imagenet", input_shape=shape)
    assert asked == [row.weights_file]
    ours = build_trunk(name, None, shape[:2], seed=1)
    assert ours.name == name
    assert ours.count_params() == PARAMETERS.get(name, theirs.count_params())
    copy_weights(theirs, ours)
    scaled = pixels.copy()
    if row.pixels != "none":
        scaled = imagenet_utils.preprocess_input(scaled, mode=row.pixels)
    features = ours(pixels).numpy()
    assert features.shape == (2, *ours.output.shape[1:])
    scale = np.abs(features).max()
    np.testing.assert_allclose(features / scale, theirs(scaled) / scale, atol=1e-5)

    dropouts = [layer for layer in ours.layers if isinstance(layer, layers.Dropout)]
    assert len({layer.seed for layer in dropouts} - {None}) == len(dropouts)
    check_groups(ours, row, pixels)


def test_efficientnet_lite0_has_its_weights_at_any_size(pixels):
    trunk = build_trunk("efficientnet_lite0", image_size=(48, 64), seed=1)
    assert trunk(pixels).shape == (2, 2, 2, 1280)
    assert trunk.get_layer("top_bn").moving_mean.numpy().any()  # it starts from zeros
    check_groups(trunk, backbone("efficientnet_lite0"), pixels)


def check_groups(trunk, row: Backbone, pixels):
    names = [layer.name for layer in trunk.layers]
    at = [names.index(row.middle), names.index(row.late)]
    early, middle, late = (
        trunk.layers[: at[0]],
        trunk.layers[at[0] : at[1]],
        trunk.layers[at[1] :],
    )
    assert all(type(layer).__module__.startswith("keras.") for layer in trunk.layers)
    assert all(any(layer.weights for layer in group) for group in (early, middle, late))
    for first, rest in ((middle[0], middle + late), (late[0], late)):
        front = keras.Model(trunk.input, first.input)
        tail = keras.Model(first.input, trunk.output)
        assert tail.layers[1:] == rest
        assert front.layers == [layer for layer in trunk.layers if layer not in rest]
    np.testing.assert_allclose(tail(front(pixels)), trunk(pixels), rtol=1e-5, atol=1e-5)


def test_vgg16_is_cut_where_the_book_cuts_it():
    """Section 5.3.2: fine-tuning begins at block5_conv1."""
    trunk = build_trunk("vgg16", None, 32, seed=1)
    assert backbone("vgg16").late == "block5_conv1"
    cut = trunk.get_layer("block5_conv1").input
    assert cut is trunk.get_layer("block4_pool").output


def test_seed_repeats_the_initial_weights(small_trunk):
    again = build_trunk("mobilenet_v3_small", None, 32, seed=1)
    for ours, theirs in zip(
        small_trunk.get_weights(), again.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    twins = [again.get_layer(f"expanded_conv_{i}_expand").kernel for i in (4, 5)]
    assert not np.array_equal(*(kernel.numpy() for kernel in twins))


def test_a_seed_is_drawn_and_printed_only_where_it_is_used(tmp_path, capsys):
    drawn = build_trunk("mobilenet_v3_small", None, 32)
    assert capsys.readouterr().out.startswith("seed=")
    drawn.save_weights(tmp_path / "trunk.weights.h5")
    loaded = build_trunk("mobilenet_v3_small", tmp_path / "trunk.weights.h5", 32)
    for ours, theirs in zip(loaded.get_weights(), drawn.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    build_trunk("efficientnet_lite0", "imagenet", 32)
    assert capsys.readouterr().out == ""


def test_a_trunk_with_dropout_draws_its_seed_with_weights_too(
    tmp_path, capsys, monkeypatch
):
    path = tmp_path / "trunk.weights.h5"
    path.touch()
    monkeypatch.setattr(backbones, "load_weights", lambda trunk, path: None)
    build_trunk("efficientnet_b0", path, 32)
    assert capsys.readouterr().out.startswith("seed=")


def test_values_of_weights_are_drawn_once(tiny_backbone, monkeypatch):
    """Though the network of the builder is cloned, to give each layer a seed."""
    drawn, scaling = [], keras.initializers.VarianceScaling
    draw = scaling.__call__
    monkeypatch.setattr(
        scaling, "__call__", lambda *a, **k: drawn.append(a[1]) or draw(*a, **k)
    )
    trunk = build_trunk(tiny_backbone, None, 32, seed=1)
    assert drawn == [(3, 3, 3, 4), (3, 3, 4, 8), (3, 3, 8, 16)]
    kernels = [layer.kernel for layer in trunk.layers if hasattr(layer, "kernel")]
    assert len(kernels) == 3 and all(kernel.numpy().any() for kernel in kernels)
    assert not global_state.get_global_attribute("uninitialized_variables")


def test_the_smallest_image_leaves_a_feature_map(small_trunk):
    assert small_trunk.input.shape[1] == backbone("mobilenet_v3_small").min_image_size
    assert small_trunk.output.shape[1:3] == (1, 1)


def test_downloads_into_the_cache_of_keras(keras_home, tmp_path, monkeypatch):
    module = importlib.import_module("keras.src.applications.mobilenet")
    source = keras.applications.MobileNet(include_top=False, weights=None)
    file = tmp_path / backbone("mobilenet").weights_file
    source.save(file)  # a legacy .h5, as on Keras's site
    monkeypatch.setattr(module, "BASE_WEIGHT_PATH", tmp_path.as_uri() + "/")
    trunk = build_trunk("mobilenet", image_size=(48, 64), seed=1)
    for ours, theirs in zip(trunk.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (keras_home / "models" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    "name", ["xception", pytest.param("inception_v3", marks=pytest.mark.slow)]
)
def test_layers_without_a_name_have_the_same_in_every_trunk(
    name, keras_home, tmp_path, monkeypatch
):
    """And take the weights that belong to them, downloaded or from a file."""
    row = backbone(name)
    module = importlib.import_module(row.builder.__module__)
    source = row.builder(include_top=False, weights=None)
    file = tmp_path / row.weights_file
    source.save(file)
    get_file = file_utils.get_file
    monkeypatch.setattr(module, "WEIGHTS_PATH_NO_TOP", file.as_uri())
    monkeypatch.setattr(  # this file has other contents than that on Keras's site
        file_utils, "get_file", lambda *a, file_hash, **k: get_file(*a, **k)
    )
    for weights in ("imagenet", file):
        trunk = build_trunk(name, weights, row.min_image_size, seed=1)
        for ours, theirs in zip(trunk.get_weights(), source.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        kinds = {"conv2d", "batch_normalization"}
        assert kinds <= {layer.name for layer in trunk.layers}
        assert trunk.output_shape[1:3] == (1, 1) or name == "xception"
    assert (keras_home / "models" / file.name).is_file()


@pytest.mark.parametrize("listens", [False, True], ids=["refuses", "is silent"])
def test_unreachable_weights_are_an_error(listens, keras_home, monkeypatch):
    module = importlib.import_module("keras.src.applications.mobilenet")
    monkeypatch.setattr(backbones, "_DOWNLOAD_TIMEOUT", 0.1)
    path = keras_home / "models" / "mobilenet_1_0_224_tf_no_top.h5"
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if listens:
            server.listen()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        monkeypatch.setattr(module, "BASE_WEIGHT_PATH", url)
        with pytest.raises(ValueError, match=f"find {path.name} on the") as error:
            build_trunk("mobilenet", image_size=32, seed=1)
    for part in (str(path), "--weights PATH", "'efficientnet_lite0'"):
        assert part in str(error.value)
    assert not path.exists()
    assert socket.getdefaulttimeout() is None


def test_a_download_that_is_no_weights_file_is_an_error(keras_home, monkeypatch):
    module = importlib.import_module("keras.src.applications.mobilenet")
    page = keras_home / "mobilenet_1_0_224_tf_no_top.h5"
    page.write_text("<html>log in first</html>")
    monkeypatch.setattr(module, "BASE_WEIGHT_PATH", keras_home.as_uri() + "/")
    with pytest.raises(ValueError, match="`weights` 'imagenet' must find mobilenet_1"):
        build_trunk("mobilenet", image_size=32, seed=1)


@pytest.mark.skipif("KERASDL_DATA" not in os.environ, reason="needs the real weights")
def test_real_vgg16_weights(pixels):
    path = Path(os.environ["KERASDL_DATA"], "weights/vgg16_imagenet_notop.weights.h5")
    ours = build_trunk("vgg16", path, (48, 64), seed=1)
    theirs = keras.applications.VGG16(False, path, input_shape=(48, 64, 3))
    scaled = keras.applications.vgg16.preprocess_input(pixels.copy())
    np.testing.assert_allclose(ours(pixels), theirs(scaled), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="network 'vgg19'.*'block3_conv4' is missing"):
        build_trunk("vgg19", path, 32, seed=1)


def test_errors():
    with pytest.raises(ValueError, match="`backbone` must be one of 'vgg16', 'vgg19'"):
        backbone("VGG16")
    with pytest.raises(ValueError, match="at least 32 for 'vgg16'. .*image_size=31"):
        build_trunk("vgg16", None, 31)
    with pytest.raises(ValueError, match="`image_size` must be one side or"):
        build_trunk("vgg16", None, "224")
    with pytest.raises(ValueError, match="existing file"):
        build_trunk("vgg16", "missing.keras", 32)
