import keras
import numpy as np
import pytest

from kerasdl.models import flatten_head
from kerasdl.train import (
    bn_freeze,
    count_trainable,
    depth_groups,
    freeze,
    freeze_to,
    unfreeze,
)


def network():
    return keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            keras.layers.Conv2D(4, 3, name="early"),
            keras.layers.BatchNormalization(name="early_bn"),
            keras.layers.Conv2D(4, 3, name="late"),
            keras.layers.BatchNormalization(name="late_bn"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(1, activation="sigmoid", name="top"),
        ]
    )


def trained(model, rng, steps=3):
    """Weights before and after training, by the variable's path."""
    before = {v.path: v.numpy() for v in model.weights}
    x = rng.uniform(0, 1, (8, 6, 6, 3)).astype("float32")  # 255 saturates the sigmoid
    model.fit(x, rng.integers(0, 2, (8, 1)), epochs=steps, verbose=0)
    after = {v.path: v.numpy() for v in model.weights}
    return {path for path in before if not np.array_equal(before[path], after[path])}


@pytest.mark.parametrize("compiled_before", [True, False])
def test_frozen_layers_and_all_statistics_do_not_move(compiled_before, rng):
    model = network()
    options = {"optimizer": "sgd", "loss": "binary_crossentropy"}
    if compiled_before:
        model.compile(**options)
    count = freeze_to(model, "late")
    if not compiled_before:
        model.compile(**options)
    moved = {path.split("/")[-2] for path in trained(model, rng)}
    assert moved == {"late", "top"}
    # 3*3*4*4 + 4 of the convolution, 2*2*4 + 1 of the dense layer.
    assert count == count_trainable(model) == 148 + 17


def test_batch_norm_may_train(rng):
    model = network()
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    freeze_to(model, "late", train_batch_norm=True)
    moved = trained(model, rng)
    assert {"late_bn/gamma", "late_bn/moving_mean"} <= {
        "/".join(path.split("/")[-2:]) for path in moved
    }
    assert not any("early" in path for path in moved)


def test_thaws_again(rng):
    model = network()
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    freeze_to(model, "top")
    freeze_to(model, "early")
    assert {path.split("/")[-2] for path in trained(model, rng)} == {
        "early",
        "late",
        "top",
    }


STATISTICS = {"moving_mean", "moving_variance"}


def parts(paths):
    """Layer and weight of each path."""
    return {tuple(path.split("/")[-2:]) for path in paths}


def data(rng):
    x = rng.normal(size=(16, 6, 6, 3)).astype("float32")
    return x, rng.integers(0, 2, (16, 1)).astype("float32")


def slots(model):
    """Adam's slots by the path of the weight, from Keras's own saved order."""
    optimizer = model.optimizer
    return {
        variable.path: (m.numpy(), v.numpy())
        for variable, m, v in zip(
            optimizer._trainable_variables,
            optimizer._momentums,
            optimizer._velocities,
            strict=True,
        )
    }


def test_groups_freeze_by_index(rng):
    model = network()
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    assert [group[0].name for group in depth_groups(model)] == ["early", "late", "top"]
    assert freeze(model) == freeze_to(model, -1) == freeze_to(model, 2) == 17
    assert {layer for layer, _ in parts(trained(model, rng))} == {"top"}
    assert (
        freeze_to(model, 1) == freeze_to(model, -2) == freeze_to(model, "late") == 165
    )
    assert {layer for layer, _ in parts(trained(model, rng))} == {"late", "top"}
    assert unfreeze(model) == freeze_to(model, 0) == freeze_to(model, "early")
    assert {layer for layer, _ in parts(trained(model, rng))} == {
        "early",
        "late",
        "top",
    }
    # 16 more: scale and offset of four channels, twice.
    assert unfreeze(model, train_batch_norm=True) == unfreeze(model) + 16


def nested():
    """A trunk in a model, and a head with BatchNorm as `pooled_head` has it."""
    trunk = keras.Sequential(network().layers[:4], name="trunk")
    inputs = keras.Input((6, 6, 3))
    x = keras.layers.BatchNormalization(name="head_bn")(trunk(inputs))
    model = keras.Model(inputs, flatten_head(x, 2, 4, seed=1))
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    return model


def test_nested_models_freeze_layer_by_layer(rng):
    model = nested()
    model.get_layer("trunk").trainable = False
    freeze_to(model, "late")
    moved = parts(trained(model, rng))
    assert {layer for layer, _ in moved} == {
        "late",
        "head_bn",
        "head_dense",
        "head_predictions",
    }
    assert {("head_bn", name) for name in STATISTICS} <= moved
    assert freeze_to(model, "head_predictions") == 5
    assert {layer for layer, _ in parts(trained(model, rng))} == {"head_predictions"}


def test_frozen_batch_norm_keeps_its_statistics_to_the_bit_while_the_rest_trains(rng):
    model = nested()
    unfreeze(model, train_batch_norm=True)
    bn_freeze(model)
    moved = parts(trained(model, rng))
    assert not any(name in STATISTICS for _, name in moved)
    assert {"early", "late", "head_dense"} <= {layer for layer, _ in moved}
    bn_freeze(model, False)
    moved = parts(trained(model, rng))
    for layer in ("early_bn", "late_bn", "head_bn"):
        assert {(layer, name) for name in (*STATISTICS, "gamma", "beta")} <= moved


def test_batch_norm_of_what_is_frozen_does_not_thaw(rng):
    model = nested()
    freeze_to(model, "late")
    bn_freeze(model, False)
    moved = {layer for layer, _ in parts(trained(model, rng))}
    assert {"late_bn", "head_bn"} <= moved
    assert not moved & {"early", "early_bn"}


def test_batch_norm_that_begins_a_group_thaws_with_it(rng):
    norm = keras.layers.BatchNormalization(name="first_bn")
    model = keras.Sequential([keras.Input((6, 6, 3)), norm, *network().layers])
    unfreeze(model)
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    bn_freeze(model, False)
    assert ("first_bn", "moving_mean") in parts(trained(model, rng))


@pytest.mark.parametrize("name", ["sgd", "adam", "nadam", "rmsprop", "adafactor"])
def test_the_same_optimizer_goes_on_with_its_state(name, rng):
    optimizer = keras.optimizers.get(name)
    model = network()
    metric = keras.metrics.BinaryAccuracy(name="share")
    model.compile(
        # A loss that is not registered cannot be told from a configuration.
        optimizer=optimizer,
        loss=lambda y, p: keras.losses.binary_crossentropy(y, p),
        metrics=[metric],
    )
    x, y = data(rng)
    freeze(model)
    model.fit(x, y, epochs=2, verbose=0)
    before = [variable.numpy() for variable in optimizer.variables]
    unfreeze(model)
    assert model.optimizer is optimizer
    for variable, value in zip(optimizer.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    history = model.fit(x, y, verbose=0)
    assert int(optimizer.iterations) == 3
    assert list(history.history) == ["loss", "share"]


def test_thawing_is_as_if_nothing_had_been_frozen_between(rng):
    """Freeze and thaw without a step: the run equals one without them."""
    x, y = data(rng)
    models = [network(), network()]
    models[1].set_weights(models[0].get_weights())
    for model, thaws in zip(models, (False, True), strict=True):
        bn_freeze(model)
        model.compile(optimizer="adam", loss="binary_crossentropy")
        model.fit(x, y, epochs=2, verbose=0, shuffle=False)
        if thaws:
            freeze(model)
            unfreeze(model)
        model.fit(x, y, epochs=2, verbose=0, shuffle=False)
    for ours, wanted in zip(
        models[1].get_weights(), models[0].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, wanted)


def test_an_optimizer_that_was_built_for_a_part_takes_on_the_rest(rng):
    """As after loading a file that was saved frozen: Keras builds for what trains."""
    model = network()
    for layer in model.layers[:-1]:
        layer.trainable = False
    optimizer = keras.optimizers.Adam(1e-2)
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    x, y = data(rng)
    model.fit(x, y, epochs=3, verbose=0)
    before = slots(model)
    assert len(before) == 2
    unfreeze(model)
    assert model.optimizer is optimizer
    assert int(optimizer.iterations) == 3
    after = slots(model)
    assert len(after) == 10
    for path, values in after.items():
        for slot, value in zip(values, before.get(path, (0, 0)), strict=True):
            np.testing.assert_array_equal(slot, np.broadcast_to(value, slot.shape))
    # iteration and learning rate, two slots each: nothing of the old ones is left over.
    assert len(optimizer.variables) == 2 + 2 * 10
    model.fit(x, y, verbose=0)
    moved = {path for path, (m, _) in slots(model).items() if m.any()}
    assert {layer for layer, _ in parts(moved)} == {"early", "late", "top"}


def test_moving_averages_are_of_what_trains(rng):
    model = network()
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
        loss="binary_crossentropy",
    )
    x, y = data(rng)
    model.fit(x, y, epochs=2, verbose=0)
    freeze(model)
    frozen = [layer.get_weights() for layer in model.layers[:-1]]
    model.fit(x, y, epochs=2, verbose=0)
    for layer, values in zip(model.layers[:-1], frozen, strict=True):
        for weight, value in zip(layer.get_weights(), values, strict=True):
            np.testing.assert_array_equal(weight, value)
    unfreeze(model)
    start = model.get_layer("early").kernel.numpy()
    model.optimizer.learning_rate = 0.0
    model.fit(x, y, verbose=0)
    # The average of a weight that does not change is that weight.
    np.testing.assert_allclose(model.get_layer("early").kernel, start, rtol=1e-6)


def test_mixed_precision_keeps_its_loss_scale(rng):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = network()
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(optimizer="adam", loss="binary_crossentropy")
    scaled = model.optimizer
    x, y = data(rng)
    freeze(model)
    model.fit(x, y, verbose=0)
    scaled.dynamic_scale.assign(8.0)
    unfreeze(model)
    assert model.optimizer is scaled
    assert float(scaled.dynamic_scale) == 8
    before = model.get_layer("early").kernel.numpy()
    model.fit(x, y, verbose=0)
    assert not np.array_equal(model.get_layer("early").kernel.numpy(), before)


def test_nothing_is_printed(capsys):
    model = network()
    model.compile(optimizer="sgd", loss="binary_crossentropy")
    freeze(model)
    unfreeze(model)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("first", [3, -4, True, None, 1.5])
def test_unknown_group(first):
    with pytest.raises(
        ValueError, match="`first` must be a layer's name, or.* 3 group"
    ):
        freeze_to(network(), first)


def test_unknown_layer():
    with pytest.raises(ValueError, match="`first` must name a layer.*'none'"):
        freeze_to(network(), "none")


def test_several_optimizers():
    model = network()
    model.compile(
        optimizer=keras.optimizers.MultiOptimizer(lambda v: keras.optimizers.SGD()),
        loss="binary_crossentropy",
    )
    for change in (freeze, unfreeze, bn_freeze):
        with pytest.raises(ValueError, match="`model` must be compiled with one optim"):
            change(model)
    assert count_trainable(model) == 293
