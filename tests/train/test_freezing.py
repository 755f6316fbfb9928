import keras
import numpy as np
import pytest

from kerasdl.train import count_trainable, freeze_to


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
    x = rng.uniform(0, 255, (8, 6, 6, 3)).astype("float32")
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


def test_unknown_layer():
    with pytest.raises(ValueError, match="`first` must name a layer.*'none'"):
        freeze_to(network(), "none")
