"""What holds for every network of the zoo; what is its own is in a file of its own."""

import inspect

import keras
import numpy as np
import pytest

from kerasdl import models
from kerasdl.models import _network
from kerasdl.models._blocks import conv
from kerasdl.models._pixels import scale_pixels

COMMON = {
    "include_top": True,
    "weights": None,
    "input_shape": inspect.Parameter.empty,  # each its own
    "pooling": None,
    "classes": inspect.Parameter.empty,
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


def test_every_builder_is_tested(networks):
    builders = {
        name
        for name, value in vars(models).items()
        if inspect.isfunction(value) and "build" in inspect.signature(value).parameters
    }
    assert builders == {network.name for network in networks}


def test_arguments_are_keras_s_in_its_order(network):
    parameters = inspect.signature(getattr(models, network.name)).parameters
    for (name, default), expected in zip(COMMON.items(), parameters, strict=False):
        assert name == expected
        if default is not inspect.Parameter.empty:
            assert parameters[name].default == default
    rest = list(parameters.values())[len(COMMON) :]
    assert {parameter.kind for parameter in rest} == {inspect.Parameter.KEYWORD_ONLY}
    assert {"build", "pixels", "seed"} <= {parameter.name for parameter in rest}


def test_both_builds_are_the_same_network(network):
    functional, sequential = network.functional, network.sequential
    assert isinstance(sequential, keras.Sequential)
    assert not isinstance(functional, keras.Sequential)
    assert functional.name == sequential.name == network.name
    assert functional.count_params() == sequential.count_params()
    assert_same_weights(functional, sequential)
    pixels = network.pixels()
    expected = functional(pixels)
    np.testing.assert_allclose(sequential(pixels), expected, atol=1e-5)
    np.testing.assert_allclose(np.sum(expected, axis=1), 1, atol=1e-5)


def test_layers_have_the_same_stable_names_in_both_builds(network):
    again = network.build(build="sequential")
    assert_same_weights(network.functional, again)  # and one seed, the same weights


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
    bare = network.build(pixels="none")
    pixels = network.pixels()
    scaled = np.array(scale_pixels(pixels, network.rule))
    np.testing.assert_allclose(
        bare(scaled), network.functional(pixels), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_weights_go_from_a_file_of_either_build_into_both(network, suffix, tmp_path):
    path = tmp_path / f"own{suffix}"
    source, build = (
        (network.functional, "sequential")
        if suffix == ".keras"
        else (network.sequential, "functional")
    )
    source.save(path) if suffix == ".keras" else source.save_weights(path)
    assert_same_weights(network.build(weights=path, build=build, seed=3), source)


def test_without_the_top(network, tmp_path):
    """The trunk of a file with top; pooled, and gray with sides that are not known."""
    path = tmp_path / "top.weights.h5"
    network.functional.save_weights(path)
    for build, pooling in (("sequential", "avg"), ("functional", "max")):
        trunk = network.build(
            include_top=False, weights=path, build=build, pooling=pooling, seed=3
        )
        assert trunk.output_shape == (None, trunk.layers[-1].input.shape[-1])
        for name, arrays in weights_by_layer(trunk).items():
            for ours, theirs in zip(
                arrays, network.functional.get_layer(name).get_weights(), strict=True
            ):
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


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_weights_of_another_network_are_refused(network, suffix, tmp_path):
    inputs = keras.Input((8, 8, 3))
    seeds = iter(range(9)).__next__
    other = keras.Model(inputs, conv(4, 3, "another", seeds)(inputs))
    path = tmp_path / f"other{suffix}"
    other.save_weights(path) if suffix == ".weights.h5" else other.save(path)
    with pytest.raises(
        ValueError, match=f"`weights` must be a file of the network '{network.name}'"
    ):
        network.build(weights=path)
