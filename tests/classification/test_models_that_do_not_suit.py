"""What looks into models says which ones it takes, and takes all of those."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.classification import Predictor, grad_cam, occlusion_map
from kerasdl.inside import feature_maps, filter_patterns, first_layer_filters

SIDE = 12
IMAGE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), "uint8")
OF_ANSWERS = {
    "grad_cam": lambda model: grad_cam(model, IMAGE),
    "occlusion_map": lambda model: occlusion_map(model, IMAGE, verbose=0),
    "Predictor": lambda model: Predictor(model, ["a", "b", "c"], SIDE),
}
OF_LAYERS = {
    "feature_maps": lambda model: feature_maps(model, IMAGE, "conv"),
    "filter_patterns": lambda model: filter_patterns(model, "conv", [0], 1, seed=0),
    "first_layer_filters": first_layer_filters,
}
LOOKS = {name: OF_ANSWERS[name] for name in ("grad_cam", "occlusion_map")} | OF_LAYERS


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 3, name="conv")
        self.dense = layers.Dense(3)

    def call(self, pixels):
        return self.dense(keras.ops.mean(self.conv(pixels), axis=(1, 2)))


def called():
    model = Own()
    model(IMAGE[None].astype("float32"))
    return model


def built(end, *, several=False):
    pixels = keras.Input((SIDE, SIDE, 3))
    maps = layers.Conv2D(4, 3, name="conv")(pixels)
    mean = layers.GlobalAveragePooling2D()(maps)
    return keras.Model([pixels, keras.Input((4,))] if several else pixels, end(mean))


def two(x):
    return [layers.Dense(3)(x), layers.Dense(2)(x)]


def nested():
    inner = keras.Sequential([keras.Input((SIDE, SIDE, 3)), layers.Conv2D(4, 3)])
    inner.layers[0].name = "conv"
    outer = [keras.Input((SIDE, SIDE, 3)), inner, layers.GlobalMaxPooling2D()]
    return keras.Sequential([*outer, layers.Dense(3)])


@pytest.mark.parametrize("look", OF_ANSWERS)
@pytest.mark.parametrize(
    "make",
    [
        lambda: built(two),
        lambda: built(lambda x: {"a": layers.Dense(3)(x)}),
        lambda: keras.Sequential([keras.Input((SIDE, SIDE, 3)), layers.Conv2D(3, 3)]),
        *(Own, called),
        lambda: keras.Sequential([layers.Conv2D(4, 3), layers.Flatten()]),
    ],
    ids=["two outputs", "dict", "maps", "subclass", "called subclass", "not built"],
)
def test_without_one_output_of_classes(look, make):
    with pytest.raises(ValueError, match="`model` must be functional, or a Sequential"):
        OF_ANSWERS[look](make())


@pytest.mark.parametrize("look", OF_LAYERS)
def test_layers_of_several_outputs_are_looked_at(look):
    assert np.isfinite(OF_LAYERS[look](built(two))).all()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    "make",
    [
        *(Own, called),
        lambda: keras.Sequential([layers.Conv2D(4, 3), layers.Flatten()]),
        lambda: built(layers.Dense(3), several=True),
        lambda: keras.Sequential([keras.Input((5,)), layers.Dense(3)]),
    ],
    ids=["subclass", "called subclass", "not built", "two inputs", "vector"],
)
def test_without_one_batch_of_pictures(look, make):
    with pytest.raises(ValueError, match="`model` must .* one batch of pictures"):
        LOOKS[look](make())


@pytest.mark.parametrize("look", LOOKS)
def test_nested_models_are_looked_into(look):
    assert np.isfinite(LOOKS[look](nested())).all()


def test_a_layer_without_a_gradient():
    def choice(x):
        return keras.ops.one_hot(keras.ops.argmax(x, -1), 4)

    with pytest.raises(ValueError, match="`layer` must be one that the score"):
        grad_cam(built(choice), IMAGE)


def test_a_layer_that_is_called_twice():
    conv, pixels = layers.Conv2D(3, 3, name="conv"), keras.Input((SIDE, SIDE, 3))
    mean = layers.GlobalAveragePooling2D()(conv(conv(pixels)))
    for look in ("grad_cam", *OF_LAYERS):
        with pytest.raises(ValueError, match="^`layer` must see each picture once"):
            LOOKS[look](keras.Model(pixels, layers.Dense(3)(mean)))


@pytest.mark.parametrize("look", ["grad_cam", "occlusion_map"])
def test_answers_that_are_no_numbers(look):
    model = built(lambda x: layers.Dense(3)(x) * np.nan)
    with pytest.raises(ValueError, match="`model` must answer with numbers"):
        OF_ANSWERS[look](model)
