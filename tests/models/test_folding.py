import keras
import numpy as np
import pytest
from keras import layers, models

from kerasdl import models as zoo
from kerasdl.models import fold_batch_norm


def trained(model):
    """`model` with statistics, scales and shifts unlike those it begins with."""
    rng = np.random.default_rng(1)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.weights])
    return model


def norms(model):
    return [
        layer.name
        for layer in model._flatten_layers()
        if isinstance(layer, layers.BatchNormalization)
    ]


def assert_same(folded, model):
    shape = (2, *model.input_shape[1:])
    pixels = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    np.testing.assert_allclose(folded(pixels), model(pixels), rtol=1e-4, atol=1e-5)


SMALL = {"input_shape": (40, 36, 3), "classes": 3, "seed": 1}


@pytest.mark.parametrize("build", ["functional", "sequential"])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mobilenet_v1", {"alpha": 0.25}),
        ("mobilenet_v3_small", {"alpha": 0.25}),
        ("resnet18", {}),
        ("googlenet", {"batch_norm": True}),
    ],
)
def test_nothing_is_left_to_normalise(name, arguments, build):
    model = trained(getattr(zoo, name)(**SMALL, **arguments, build=build))
    before = model.get_weights()
    folded = fold_batch_norm(model)
    assert norms(model)
    assert norms(folded) == []
    assert_same(folded, model)
    for array, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_layers_that_were_added_one_by_one():
    """`Sequential.add` calls all layers anew; the earlier calls are no readers."""
    model = keras.Sequential([keras.Input((8, 8, 3))])
    model.add(layers.Conv2D(4, 3))
    model.add(layers.BatchNormalization())
    model.add(layers.ReLU())
    folded = fold_batch_norm(trained(model))
    assert norms(folded) == []
    assert_same(folded, model)


def test_what_comes_before_a_convolution_stays():
    """DenseNets normalise what several layers gave, put side by side."""
    model = trained(zoo.densenet_small(**SMALL))
    folded = fold_batch_norm(model)
    assert len(norms(folded)) > 0
    assert_same(folded, model)


def test_a_layer_with_another_reader_stays():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", name="conv")(inputs)
    y = layers.BatchNormalization(name="norm")(x)
    model = trained(keras.Model(inputs, layers.Add()([x, y])))
    folded = fold_batch_norm(model)
    assert norms(folded) == ["norm"]
    assert_same(folded, model)


def test_a_layer_that_is_used_twice_and_an_activation_stay():
    inputs = keras.Input((8, 8, 3))
    conv = layers.Conv2D(3, 3, padding="same", name="conv")
    x = layers.BatchNormalization(name="after_shared")(conv(conv(inputs)))
    x = layers.Dense(4, activation="relu", name="dense")(x)
    x = layers.BatchNormalization(name="after_relu")(x)
    model = trained(keras.Model(inputs, x))
    folded = fold_batch_norm(model)
    assert norms(folded) == ["after_shared", "after_relu"]
    assert_same(folded, model)


@pytest.mark.parametrize(("scale", "center"), [(False, True), (True, False)])
def test_all_kinds_of_layers_that_fold(scale, center):
    norm = {"scale": scale, "center": center, "epsilon": 0.1}
    inner = models.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
            layers.BatchNormalization(**norm),
        ]
    )
    model = models.Sequential(
        [
            keras.Input((8, 8, 3)),
            inner,
            layers.Conv2D(5, 3, bias_initializer="normal"),
            layers.BatchNormalization(**norm),
            layers.Flatten(),
            layers.Dense(2, bias_initializer="normal"),
            layers.BatchNormalization(**norm),
        ]
    )
    model = trained(model)
    folded = fold_batch_norm(model)
    assert norms(folded) == []
    assert_same(folded, model)


def test_a_layer_with_more_weights_than_its_own_stays():
    """LoRA adds to a kernel when it is called."""
    inputs = keras.Input((4,))
    dense = layers.Dense(3, lora_rank=2, name="dense")
    model = keras.Model(inputs, layers.BatchNormalization()(dense(inputs)))
    folded = fold_batch_norm(model)
    assert [type(layer).__name__ for layer in folded.layers[1:]] == [
        "Dense",
        "BatchNormalization",
    ]


def test_a_model_with_a_call_of_its_own_is_left_alone():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    model = Own()
    assert fold_batch_norm(model) is model
