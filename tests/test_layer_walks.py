import keras
import pytest
from keras import layers

from kerasdl._layer_walks import layers_in_order, leaf_layers, unnested_layers


def nested():
    inner = keras.Sequential(
        [keras.Input((2,)), layers.Dense(2, name="a"), layers.Dense(2, name="b")],
        name="inner",
    )
    wrapped = layers.TimeDistributed(layers.Dense(2, name="deep"), name="wrapped")
    outer = [keras.Input((3, 2)), wrapped, layers.Flatten(name="flat")]
    x = keras.Input((2,), name="pixels")
    y = layers.Dense(2, name="last")(inner(inner(x)))
    return keras.Model(x, y, name="model"), keras.Sequential(outer, name="outer")


def names(found):
    return [layer.name for layer in found if not isinstance(layer, layers.InputLayer)]


def test_each_layer_once_in_the_order_it_runs():
    model, outer = nested()
    assert names(layers_in_order(model)) == ["model", "inner", "a", "b", "last"]
    assert names(layers_in_order(outer)) == ["outer", "wrapped", "deep", "flat"]
    keras_own = [layer.name for layer in model._flatten_layers()]
    assert {layer.name for layer in layers_in_order(model)} == set(keras_own)


def test_nested_models_give_way_to_their_layers():
    model, outer = nested()
    assert names(leaf_layers(model)) == names(unnested_layers(model))
    assert names(unnested_layers(model)) == ["a", "b", "last"]
    assert names(leaf_layers(outer)) == ["wrapped", "flat"]
    with pytest.raises(ValueError, match="`model` must be built"):
        leaf_layers(keras.Sequential([layers.Dense(1)]))
