"""Ours compute what those of keras.applications do, and take their files."""

import itertools
from dataclasses import dataclass

import h5py
import keras
import numpy as np
import pytest
from keras import applications
from keras.src.legacy.saving import legacy_h5_format

from kerasdl import models

VGG = {"input_shape": (32, 32, 3)}
MOBILENET = {"input_shape": (64, 32, 3), "alpha": 0.25, "classes": 5}
ODD = {"input_shape": (45, 37, 3), "classes": 5}
# ours -> theirs, its preprocessing, arguments of both, and whether it is compared with
# its top (VGG's has 120 million weights)
PAIRS = {
    "densenet121": (applications.DenseNet121, applications.densenet, ODD, True),
    "mobilenet_v1": (
        applications.MobileNet,
        applications.mobilenet,
        {"input_shape": (54, 37, 3), "alpha": 0.25, "classes": 5},
        True,
    ),
    "mobilenet_v2": (
        applications.MobileNetV2,
        applications.mobilenet_v2,
        MOBILENET,
        True,
    ),
    "mobilenet_v3_large": (
        applications.MobileNetV3Large,
        applications.mobilenet_v3,
        MOBILENET,
        True,
    ),
    "mobilenet_v3_small": (
        applications.MobileNetV3Small,
        applications.mobilenet_v3,
        MOBILENET,
        True,
    ),
    "resnet50": (applications.ResNet50, applications.resnet, ODD, True),
    "resnet50_v2": (applications.ResNet50V2, applications.resnet_v2, ODD, True),
    "vgg16": (applications.VGG16, applications.vgg16, VGG, False),
    "vgg19": (applications.VGG19, applications.vgg19, VGG, False),
}
# Long to build: their trunks read a file by `-m slow`.
HEAVY = {"densenet121", "resnet50", "resnet50_v2"}
# Further rows of their tables, through the same code as the first: the layers are
# compared in every run, outputs and files by `-m slow`, as their weights take long.
DEEPER = {
    "densenet169": (applications.DenseNet169, applications.densenet),
    "densenet201": (applications.DenseNet201, applications.densenet),
    "resnet101": (applications.ResNet101, applications.resnet),
    "resnet101_v2": (applications.ResNet101V2, applications.resnet_v2),
    "resnet152": (applications.ResNet152, applications.resnet),
    "resnet152_v2": (applications.ResNet152V2, applications.resnet_v2),
}


def randomize_statistics(model, rng):
    """Normalise as a trained network does."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.weights])


def save_weights(model, path):
    """Write `model`'s weights in the layout that `path` is named after."""
    if path.name == "legacy.h5":  # as they are offered for download
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
    else:
        model.save_weights(path)
    return path


@dataclass
class Pair:
    name: str
    arguments: dict
    has_top: bool
    theirs: keras.Model
    pixels: np.ndarray
    outputs: np.ndarray

    def ours(self, **arguments):
        arguments = {"include_top": self.has_top, **self.arguments, **arguments}
        return getattr(models, self.name)(**arguments, seed=1)


@pytest.fixture(scope="module", params=PAIRS)
def pair(request):
    builder, module, arguments, has_top = PAIRS[request.param]
    keras.utils.set_random_seed(0)
    theirs = builder(weights=None, include_top=has_top, **arguments)
    rng = np.random.default_rng(0)
    randomize_statistics(theirs, rng)
    pixels = rng.uniform(0, 255, (2, *theirs.input_shape[1:])).astype("float32")
    outputs = theirs(module.preprocess_input(pixels.copy()))
    return Pair(
        request.param,
        arguments,
        has_top=has_top,
        theirs=theirs,
        pixels=pixels,
        outputs=outputs,
    )


def shapes_by_layer(model):
    return {
        layer.name: [weight.shape for weight in layer.weights]
        for layer in model.layers
        if layer.weights
    }


# The light trunks below read the other layout in every run.
LAYOUTS = ["legacy.h5", pytest.param("keras3.weights.h5", marks=pytest.mark.slow)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_is_theirs_with_the_weights_of_their_file(pair, layout, tmp_path):
    path = save_weights(pair.theirs, tmp_path / layout)
    build = "functional" if layout == "legacy.h5" else "sequential"
    ours = pair.ours(weights=path, build=build)
    assert pair.theirs.count_params() == ours.count_params()
    if build == "functional":
        assert shapes_by_layer(pair.theirs) == shapes_by_layer(ours)
    np.testing.assert_allclose(ours(pair.pixels), pair.outputs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name
        for name in PAIRS
    ],
    indirect=True,
)
def test_their_file_gives_a_trunk(pair, layout, tmp_path):
    """Also if it has a top."""
    path = save_weights(pair.theirs, tmp_path / layout)
    trunk = pair.ours(weights=path, build="sequential", include_top=False)
    for ours, theirs in zip(trunk.weights, pair.theirs.weights, strict=False):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("name", DEEPER)
def test_the_layers_of_a_deeper_network(name, shaped):
    """In their order, with the shapes of weights and outputs at 224x224."""
    with keras.StatelessScope(initialize_variables=False):  # no values of weights
        theirs = DEEPER[name][0](weights=None)
    rows, expected = (
        [
            (layer.name, layer.output.shape, [weight.shape for weight in layer.weights])
            for layer in model.layers
            if layer.weights
        ]
        for model in (shaped(name), theirs)
    )
    assert rows == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layout"),
    zip(DEEPER, itertools.cycle(["legacy.h5", "keras3.weights.h5"]), strict=False),
)
def test_a_deeper_network_takes_their_file(name, layout, tmp_path):
    builder, module = DEEPER[name]
    theirs = builder(weights=None, **ODD)
    rng = np.random.default_rng(0)
    randomize_statistics(theirs, rng)
    path = save_weights(theirs, tmp_path / layout)
    pixels = rng.uniform(0, 255, (2, *ODD["input_shape"])).astype("float32")
    expected = theirs(module.preprocess_input(pixels.copy()))
    ours = getattr(models, name)(weights=path, **ODD, seed=1)
    np.testing.assert_allclose(ours(pixels), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layout", ["legacy.h5", "keras3.weights.h5"])
@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2",
        "mobilenet_v3_small",
        pytest.param("resnet50", marks=pytest.mark.slow),
    ],
)
def test_takes_the_file_of_a_trunk(name, layout, tmp_path):
    builder, module, arguments, _ = PAIRS[name]
    arguments = {**arguments, "include_top": False, "pooling": "avg"}
    del arguments["classes"]
    theirs = builder(weights=None, **arguments)
    path = save_weights(theirs, tmp_path / layout)
    ours = getattr(models, name)(weights=path, **arguments, seed=1)
    shape = (2, *arguments["input_shape"])
    pixels = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    expected = theirs(module.preprocess_input(pixels.copy()))
    np.testing.assert_allclose(ours(pixels), expected, rtol=1e-4, atol=1e-4)


def test_vgg16_with_its_top(tmp_path):
    keras.utils.set_random_seed(0)
    theirs = applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=5)
    path = tmp_path / "top.weights.h5"
    theirs.save_weights(path)
    ours = models.vgg16(
        weights=path, input_shape=(32, 32, 3), classes=5, build="sequential", seed=1
    )
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    expected = theirs(applications.vgg16.preprocess_input(pixels.copy()))
    np.testing.assert_allclose(ours(pixels), expected, rtol=1e-4, atol=1e-4)


def test_a_trunk_s_file_is_refused_for_a_network_with_top(tmp_path):
    arguments = {"input_shape": (32, 32, 3), "alpha": 0.25, "seed": 1}
    path = tmp_path / "a.weights.h5"
    models.mobilenet_v1(include_top=False, **arguments).save_weights(path)
    with pytest.raises(ValueError, match="where layer 'conv_preds' is missing"):
        models.mobilenet_v1(weights=path, **arguments)


def test_names_before_keras_3_fit_in_order(tmp_path):
    """The files for MobileNetV3 that are offered name their layers otherwise."""
    arguments = {"input_shape": (32, 32, 3), "alpha": 0.25, "classes": 5}
    keras.utils.set_random_seed(0)
    theirs = applications.MobileNetV3Small(weights=None, **arguments)
    for number, layer in enumerate(theirs.layers):
        layer.name = f"old_{number}"
    path = save_weights(theirs, tmp_path / "legacy.h5")
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3))
    ours = models.mobilenet_v3_small(weights=path, **arguments, seed=1)
    np.testing.assert_allclose(ours(pixels), theirs(pixels), rtol=1e-4, atol=1e-4)
    trunk = models.mobilenet_v3_small(
        include_top=False, weights=path, **arguments, build="sequential", seed=1
    )
    for ours, old in zip(trunk.weights, theirs.weights, strict=False):
        np.testing.assert_array_equal(ours.numpy(), old.numpy())
