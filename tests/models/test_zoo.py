"""What holds for every network of the zoo; what is its own is in a file of its own."""

import inspect

import keras
import numpy as np
import pytest

from kerasdl import models
from kerasdl.models import _network
from kerasdl.models._pixels import scale_pixels

COMMON = {
    "include_top": True,
    "weights": None,
    "input_shape": inspect.Parameter.empty,  # each its own
    "pooling": None,
    "classes": inspect.Parameter.empty,
}
# Further rows of the tables in `ZOO`, through the same code: name -> pixel rule
DEEPER = {
    "densenet121": "torch",
    "densenet169": "torch",
    "densenet201": "torch",
    "resnet34": "unit",
    "resnet34_v2": "unit",
    "resnet50": "caffe",
    "resnet50_v2": "tf",
    "resnet101": "caffe",
    "resnet101_v2": "tf",
    "resnet152": "caffe",
    "resnet152_v2": "tf",
}


def flat(model):
    for layer in model.layers:
        yield from flat(layer) if isinstance(layer, keras.Model) else [layer]


def weights_by_layer(model):
    return {layer.name: layer.get_weights() for layer in flat(model) if layer.weights}


def assert_same_weights(model, other):
    ours, theirs = weights_by_layer(model), weights_by_layer(other)
    assert list(ours) == list(theirs)
    for name, arrays in ours.items():
        for array, expected in zip(arrays, theirs[name], strict=True):
            np.testing.assert_array_equal(array, expected)


def test_every_builder_is_tested(zoo):
    builders = {
        name
        for name, value in vars(models).items()
        if inspect.isfunction(value) and "build" in inspect.signature(value).parameters
    }
    # Its ImageNet weights are its default: test_efficientnet_lite.py
    others = {*DEEPER, "efficientnet_lite0"}
    assert builders == {*zoo} | others


def test_arguments_are_keras_s_in_its_order(network):
    parameters = inspect.signature(getattr(models, network.name)).parameters
    for (name, default), expected in zip(COMMON.items(), parameters, strict=False):
        assert name == expected
        if default is not inspect.Parameter.empty:
            assert parameters[name].default == default
    rest = list(parameters.values())[len(COMMON) :]
    assert {parameter.kind for parameter in rest} == {inspect.Parameter.KEYWORD_ONLY}
    assert {"build", "pixels", "seed"} <= {parameter.name for parameter in rest}


@pytest.mark.parametrize(("name", "rule"), DEEPER.items())
def test_a_deeper_network(name, rule, shaped):
    """Without values of its weights, which take long to draw."""
    builder = getattr(models, name)
    assert inspect.signature(builder) == inspect.signature(models.resnet18)
    functional = shaped(name)
    with keras.StatelessScope(initialize_variables=False):
        sequential = builder(build="sequential", seed=1)
    assert functional.name == sequential.name == name
    assert isinstance(sequential, keras.Sequential)
    shapes, expected = (
        {
            layer.name: [weight.shape for weight in layer.weights]
            for layer in flat(model)
            if layer.weights
        }
        for model in (sequential, functional)
    )
    assert list(shapes.items()) == list(expected.items())
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3))
    scaling = keras.Model(functional.input, functional.get_layer("scale_pixels").output)
    np.testing.assert_array_equal(scaling(pixels), scale_pixels(pixels, rule))


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEPER)
def test_both_builds_of_a_deeper_network_are_equal(name):
    arguments = {"input_shape": (40, 32, 3), "classes": 3, "seed": 1}
    functional = getattr(models, name)(**arguments)
    sequential = getattr(models, name)(**arguments, build="sequential")
    assert_same_weights(functional, sequential)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 40, 32, 3))
    np.testing.assert_allclose(sequential(pixels), functional(pixels), atol=1e-5)


def test_both_builds_are_the_same_network(network):
    functional, sequential = network.functional, network.sequential
    assert isinstance(sequential, keras.Sequential)
    assert not isinstance(functional, keras.Sequential)
    assert functional.name == sequential.name == network.name
    assert functional.count_params() == sequential.count_params()
    assert_same_weights(functional, sequential)  # by name, and one seed gave the same
    pixels = network.pixels()
    expected = functional(pixels)
    np.testing.assert_allclose(sequential(pixels), expected, atol=1e-5)
    np.testing.assert_allclose(np.sum(expected, axis=1), 1, atol=1e-5)


def test_each_initializer_and_dropout_has_a_seed_of_its_own(network):
    seeds = []
    for layer in flat(network.functional):
        for holder in (
            getattr(layer, "kernel_initializer", None),
            getattr(layer, "depthwise_initializer", None),
            layer if isinstance(layer, keras.layers.Dropout) else None,
        ):
            if holder is not None:
                seeds.append(holder.seed)
    assert sorted(seeds) == list(range(1, len(seeds) + 1))  # it was built with 1


def test_pixels_are_scaled_by_its_own_rule(network):
    model, pixels = network.functional, network.pixels()
    scaling = keras.Model(model.input, model.get_layer("scale_pixels").output)
    np.testing.assert_array_equal(scaling(pixels), scale_pixels(pixels, network.rule))


@pytest.mark.slow
def test_weights_go_from_a_file_of_one_build_into_the_other(network, tmp_path):
    path = tmp_path / "own.keras"
    network.functional.save(path)
    loaded = network.build(weights=path, build="sequential", seed=2)
    assert_same_weights(loaded, network.functional)


def test_the_trunk_takes_the_other_build_s_file_with_the_top(network, tmp_path):
    path = tmp_path / "own.weights.h5"
    network.sequential.save_weights(path)
    trunk = network.build(include_top=False, weights=path, seed=2)
    assert len(trunk.output_shape) == 4
    whole = weights_by_layer(network.functional)
    for name, arrays in weights_by_layer(trunk).items():
        for ours, theirs in zip(arrays, whole[name], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_smallest_gray_image_in_half_precision(network):
    side = network.min_side
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = network.build(input_shape=(side, side, 1))
    finally:
        keras.config.set_dtype_policy("float32")
    probabilities = model(np.full((1, side, side, 1), 200.0))
    assert probabilities.dtype == "float32"
    np.testing.assert_allclose(np.sum(probabilities), 1, atol=1e-5)


def test_a_smaller_image_is_refused(network, monkeypatch):
    side = network.min_side
    shape = (side - 1, side, 3)
    with pytest.raises(ValueError, match=f"`input_shape` must .* of at least {side}, "):
        network.build(input_shape=shape)
    if side > 1:
        monkeypatch.setattr(_network, "_check_input_shape", lambda *a, **k: None)
        with pytest.raises(ValueError):  # Keras's own: nothing is left of the image
            network.build(input_shape=shape)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"build": "graph"}, "`build` must be one of 'functional', 'sequential'"),
        ({"classes": 0}, "`classes` must be an integer of at least 2. .*classes=0"),
        ({"pixels": "bgr"}, "`pixels` must be one of 'none', 'unit'"),
        ({"pooling": "mean"}, "`pooling` must be one of None, 'avg', 'max'"),
        ({"input_shape": (224, 224)}, r"`input_shape` must be \(height, width, chan"),
        ({"input_shape": (224, 224, 4)}, r"channels 3 .* 1 .*\(224, 224, 4\)"),
        ({"weights": "imagenet"}, "`weights` must be None or an existing file"),
        ({"weights": "missing.h5"}, "existing file .*weights='missing.h5'"),
    ],
)
def test_wrong_arguments(network, arguments, message, capsys):
    with pytest.raises(ValueError, match=message):
        network.build(**{"seed": None, **arguments})
    assert capsys.readouterr().out == ""  # no seed drawn: nothing was begun


def test_weights_of_another_network_are_refused(networks, tmp_path):
    """More in test_weights.py, of each kind of file."""
    (network,) = networks(["lenet5"])
    inputs = keras.Input((8, 8, 3))
    other = keras.Model(inputs, keras.layers.Conv2D(4, 3, name="another")(inputs))
    path = tmp_path / "other.weights.h5"
    other.save_weights(path)
    with pytest.raises(
        ValueError, match=f"`weights` must be a file of the network '{network.name}'"
    ):
        network.build(weights=path)
