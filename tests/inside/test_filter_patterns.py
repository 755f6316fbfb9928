import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.inside import feature_maps, filter_patterns


def trunk():
    model = keras.Sequential(
        [
            keras.Input((16, 14, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.Conv2D(6, 3, activation="relu", name="second"),
        ],
        name="trunk",
    )
    rng = np.random.default_rng(5)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    return model


def nested_model():
    inner = trunk()
    inputs = keras.Input((16, 14, 3))
    x = layers.GlobalAveragePooling2D()(inner(inputs))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(x))


@pytest.mark.parametrize("layer", ["first", "second"])
def test_each_filter_answers_more_than_to_the_noise(layer):
    model = nested_model()
    patterns = filter_patterns(model, layer, steps=20, seed=1)
    noise = filter_patterns(model, layer, steps=1, step_size=1e-6, seed=1)
    assert patterns.shape == noise.shape == (len(patterns), 16, 14, 3)
    assert patterns.dtype == np.float32
    assert patterns.min() >= 0 and patterns.max() <= 255
    assert 118 <= noise.min() < noise.max() <= 138
    raised = 0
    for number, (pattern, before) in enumerate(zip(patterns, noise, strict=True)):
        after = feature_maps(model, pattern, layer)[..., number].mean()
        begin = feature_maps(model, before, layer)[..., number].mean()
        # A filter that answers nothing to the noise has no gradient to follow.
        assert after > begin or after == begin == 0
        raised += after > begin
    assert raised > len(patterns) / 2


def test_a_filter_for_red_makes_red():
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 1, name="conv")])
    model.layers[-1].kernel.assign(np.array([[[[2, 0], [-1, 0], [-1, 1]]]], "float32"))
    red, blue = filter_patterns(model, "conv", steps=10, seed=0)
    noise = filter_patterns(model, "conv", steps=1, step_size=1e-6, seed=0)
    # Ten steps of root mean square 1 along (2, -1, -1), and along (0, 0, 1).
    change = (red - noise[0]).mean(axis=(0, 1))
    np.testing.assert_allclose(change, 10 * np.array([2, -1, -1]) / 2**0.5, rtol=1e-2)
    change = (blue - noise[1]).mean(axis=(0, 1))
    np.testing.assert_allclose(change, (0, 0, 10 * 3**0.5), rtol=1e-2, atol=1e-3)


def test_a_pattern_depends_on_the_seed_and_not_on_the_others():
    model = nested_model()
    patterns = filter_patterns(model, "second", steps=3, seed=1)
    again = filter_patterns(model, "second", [4, 2], steps=3, seed=1)
    np.testing.assert_allclose(again, patterns[[4, 2]], atol=1e-3)
    other = filter_patterns(model, "second", [4, 2], steps=3, seed=2)
    assert np.abs(other - again).max() > 1


def test_nested_and_flat_networks_have_the_same_patterns():
    flat = filter_patterns(trunk(), "second", steps=3, seed=1)
    nested = filter_patterns(nested_model(), "second", steps=3, seed=1)
    np.testing.assert_allclose(nested, flat, atol=1e-3)


def test_saves_patterns_of_one_contrast(tmp_path):
    path = tmp_path / "patterns.png"
    filter_patterns(trunk(), "second", [0, 1, 2], 5, path=path, columns=2, seed=0)
    saved = np.asarray(Image.open(path).convert("RGB"))
    assert saved.shape == (2 * 16 + 4, 2 * 14 + 4, 3)
    for tile in (saved[:16, :14], saved[:16, -14:], saved[-16:, :14]):
        assert tile.mean() == pytest.approx(128, abs=1)
        assert tile.std() == pytest.approx(40, abs=2)


def test_a_fresh_seed_is_printed(capsys):
    filter_patterns(trunk(), "first", [0], steps=1)
    assert "seed=" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": "conv9"}, "`layer` must name one layer.*layer='conv9'"),
        ({"filters": [6]}, r"`filters` must be None or some of 0 to 5.*=\[6\]"),
        ({"filters": []}, "`filters` must be None or some of 0 to 5"),
        ({"steps": 0}, "`steps` must be an integer of at least 1"),
        ({"step_size": 0}, "`step_size` must be above 0. Received: step_size=0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        filter_patterns(nested_model(), **{"layer": "second", **arguments})


def test_an_input_of_any_size_is_refused():
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="must have an input of a fixed size"):
        filter_patterns(model, model.layers[0].name)
