"""Weights of a model itself, or of several layers, freeze and have a rate."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.train import (
    count_trainable,
    depth_groups,
    freeze,
    freeze_to,
    layer_rates,
    layer_table,
    set_layer_rates,
    unfreeze,
)


class Tokens(keras.Model):
    """A dense layer, and a token of the model's own beside it."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense = layers.Dense(4, name="tokens_dense")

    def build(self, shape):
        self.token = self.add_weight(shape=(4,), name="token")
        self.count = self.add_weight(shape=(), name="count", trainable=False)
        self.dense.build(shape)
        self.built = True

    def call(self, x):
        return self.dense(x) + self.token


class Whole(Tokens):
    """The model that is trained owns the token, and holds another that owns one."""

    def build(self, shape):
        super().build(shape)
        self.inner = Tokens(name="inner")
        self.inner.build((None, 4))
        self.top = layers.Dense(1, name="top")
        self.top.build((None, 4))

    def call(self, x):
        return self.top(self.inner(super().call(x)))


def nested():
    inputs = keras.Input((4,))
    x = layers.Dense(4)(Tokens(name="tokens")(inputs))
    return keras.Model(inputs, layers.Dense(1, name="top")(x))


def twice_nested():
    inputs = keras.Input((4,))
    inner = keras.Model(inputs, Tokens(name="tokens")(inputs), name="outer")
    return keras.Sequential([keras.Input((4,)), inner, layers.Dense(1, name="top")])


def whole():
    model = Whole(name="whole")
    model.build((None, 4))
    return model


class Tied(layers.Layer):
    """Multiplies by the kernel of another layer, and has a bias of its own."""

    def __init__(self, other, **options):
        super().__init__(**options)
        self.kernel = other.kernel

    def build(self, shape):
        self.bias = self.add_weight(shape=(4,), name="bias")

    def call(self, x):
        return x @ keras.ops.transpose(self.kernel) + self.bias


def tied():
    first = layers.Dense(4, name="first")
    first.build((None, 4))
    return keras.Sequential(
        [
            keras.Input((4,)),
            first,
            layers.Dense(4),
            Tied(first, name="tied"),
            layers.Dense(1, name="top"),
        ]
    )


BUILDS = pytest.mark.parametrize("build", [nested, twice_nested, whole, tied])


def compiled(build):
    model = build()
    model.compile(keras.optimizers.SGD(0.1), loss="mse")
    return model


def moved(model):
    """The ids of what three steps of training change."""
    before = {id(weight): weight.numpy() for weight in model.weights}
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(8, 4)), generator.normal(size=(8, 1))
    model.fit(x, y, epochs=3, verbose=0)
    return {id(w) for w in model.weights if not np.array_equal(before[id(w)], w)}


@BUILDS
def test_what_is_frozen_does_not_move_and_is_not_counted(build):
    model = compiled(build)
    assert freeze(model) == count_trainable(model)
    expected = {id(weight) for weight in model.trainable_variables}
    assert expected < {id(weight) for weight in model.weights}
    assert expected <= {id(w) for leaf in depth_groups(model)[-1] for w in leaf.weights}
    assert moved(model) == expected


@BUILDS
def test_what_is_unfrozen_trains_again(build):
    model = compiled(build)
    every = {id(weight) for weight in model.trainable_variables}
    freeze(model)
    unfreeze(model)
    assert moved(model) == every


@BUILDS
def test_every_weight_has_the_rate_of_its_group(build):
    """One step of plain gradient descent, against one without groups."""
    steps = []
    for rates in (0.1, [0.001, 0.01, 0.1]):
        keras.utils.set_random_seed(0)
        model = compiled(build)
        set_layer_rates(model, rates)
        before = model.get_weights()
        model.fit(np.ones((8, 4)), np.zeros((8, 1)), verbose=0)
        changes = zip(model.get_weights(), before, strict=True)
        steps.append([after - before for after, before in changes])
    assert layer_rates(model) == pytest.approx([0.001, 0.01, 0.1])
    shares = [
        np.median(slow / whole) if np.any(whole) else None
        for whole, slow in zip(*steps, strict=True)
    ]
    assert {round(float(share), 4) for share in shares if share is not None} == {
        0.01,
        0.1,
        1,
    }


@BUILDS
def test_the_table_counts_each_weight_once(build):
    model = compiled(build)
    freeze(model)
    table = layer_table(model)
    assert table["parameters"].sum() == model.count_params()
    frozen = table[table["state"] == "frozen"]["parameters"].sum()
    assert frozen > 0 and "trains" in set(table["state"])
    assert set(table[table["group"] < table["group"].max()]["state"]) <= {"", "frozen"}


def test_a_weight_that_layers_share_goes_with_the_first():
    model = compiled(tied)
    freeze_to(model, "tied")
    assert not model.get_layer("first").kernel.trainable
    assert model.get_layer("tied").bias.trainable


def test_the_token_trains_from_its_model_on():
    model = compiled(nested)
    freeze_to(model, "tokens")
    assert len(model.trainable_variables) == len(moved(model)) == 7
    freeze_to(model, "tokens_dense")
    assert not model.get_layer("tokens").token.trainable
    assert len(model.trainable_variables) == len(moved(model)) == 6


def test_a_name_of_several_layers_is_refused():
    inputs = keras.Input((4,))
    parts = [
        keras.Sequential([keras.Input((4,)), layers.Dense(2, name="dense")], name=name)
        for name in ("left", "right")
    ]
    both = layers.Concatenate()([part(inputs) for part in parts])
    model = keras.Model(inputs, layers.Dense(1)(both))
    with pytest.raises(ValueError, match="`first` must name one .*'dense'.* 2 layers"):
        freeze_to(model, "dense")
