"""What a training was begun with is recorded, and must be the same when it goes on."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

from kerasdl.callbacks import CosineRestarts, OneCycle, StepDecay, WarmUp
from kerasdl.train import resumable_fit

# A few batches of a dense layer take less time than to trace them.
EAGERLY = {"run_eagerly": True}


def small(optimizer=None, loss="mse", layers=(), frozen=False, **arguments):
    """A model of one dense layer, and of `layers` after it."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), *layers])
    model.layers[0].trainable = not frozen
    optimizer = optimizer or keras.optimizers.SGD(0.5)
    model.compile(optimizer, loss, **EAGERLY, **arguments)
    return model


def pairs(batch_size=4, scale=1.0, count=16):
    x = np.arange(count * 4, dtype="float32").reshape(count, 4) / 64 * scale
    return tf.data.Dataset.from_tensor_slices((x, x[:, :3])).batch(batch_size)


class Slices(keras.utils.PyDataset):
    def __init__(self, batch_size):
        super().__init__()
        self.batch_size = batch_size

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.zeros((self.batch_size, 4)), np.zeros((self.batch_size, 3))


def go(state, model=None, data=None, epochs=2, **arguments):
    data = pairs() if data is None else data
    return resumable_fit(model or small(), data, epochs, state, **arguments)


def power(exponent):
    def loss(y, answers):
        return keras.ops.mean(keras.ops.abs(y - answers) ** exponent, -1)

    return loss


def partial_loss(delta):
    return functools.partial(keras.losses.huber, delta=delta)


def doubled(text="lambda x: x * 2.0"):
    return small(layers=[keras.layers.Lambda(eval(text))])


def both_ways(mode):
    parts = [keras.layers.Reshape((3, 1))]
    parts.append(keras.layers.Bidirectional(keras.layers.SimpleRNN(3), mode))
    return small(layers=parts)


HALF = "mixed_bfloat16"
SGD = keras.optimizers.SGD
CHANGES = {
    "rate": ({}, {"model": lambda: small(SGD(0.1))}, r"learning_rate=0.1.* 0.5\)"),
    "momentum": ({}, {"model": lambda: small(SGD(0.5, 0.9))}, r"0.9 \(recorded: 0.0"),
    "decay": (
        {"model": lambda: small(SGD(CosineDecay(0.1, 10)))},
        {"model": lambda: small(SGD(CosineDecay(0.1, 20)))},
        r"decay_steps=20 \(recorded: 10\)",
    ),
    "optimizer": (
        {"model": lambda: small(keras.optimizers.Adam(0.1))},
        {"model": lambda: small(keras.optimizers.AdamW(0.1))},
        r"optimizer.*='AdamW' \(recorded: 'Adam'",
    ),
    "accumulation": (
        {"model": lambda: small(SGD(0.5, gradient_accumulation_steps=2))},
        {"model": lambda: small(SGD(0.5, gradient_accumulation_steps=3))},
        r"gradient_accumulation_steps=3 \(recorded: 2\)",
    ),
    "loss": ({}, {"model": lambda: small(loss="mae")}, r"loss='mae' .*: 'mse'\)"),
    "loss object": (
        {"model": lambda: small(loss=keras.losses.Huber(1.0))},
        {"model": lambda: small(loss=keras.losses.Huber(2.0))},
        r"delta=2.0 \(recorded: 1.0\)",
    ),
    "enclosed in a loss": (
        {"model": lambda: small(loss=power(2.0))},
        {"model": lambda: small(loss=power(3.0))},
        r"loss.exponent=3.0 \(recorded: 2.0\)",
    ),
    "argument of a partial loss": (
        {"model": lambda: small(loss=partial_loss(1.0))},
        {"model": lambda: small(loss=partial_loss(2.0))},
        r"delta=2.0 \(recorded: 1.0\)",
    ),
    "lambda": (
        {"model": lambda: doubled()},
        {"model": lambda: doubled("lambda x: x * 3.0")},
        r"layers.2.function.0=",
    ),
    "precision": (
        {"model": lambda: small(layers=[keras.layers.Dense(3)])},
        {"model": lambda: small(layers=[keras.layers.Dense(3, dtype=HALF)])},
        r"layers.2.dtype='mixed_bfloat16' \(recorded: 'float32'\)",
    ),
    "layer around layers": (
        {"model": lambda: both_ways("sum")},
        {"model": lambda: both_ways("ave")},
        r"merge_mode='ave' \(recorded: 'sum'\)",
    ),
    "dropout": (
        {"model": lambda: small(layers=[keras.layers.Dropout(0.1)])},
        {"model": lambda: small(layers=[keras.layers.Dropout(0.2)])},
        r"layers.2.rate=0.2 \(recorded: 0.1\)",
    ),
    "frozen": (
        {"model": lambda: small(layers=[keras.layers.Dense(3)])},
        {"model": lambda: small(layers=[keras.layers.Dense(3)], frozen=True)},
        r"layers.1.trainable=False \(recorded: True\)",
    ),
    "batch size": ({}, {"data": pairs(8)}, r"_batch_size=8' \(recorded.*_size=4'"),
    "arrays": ({}, {"data": pairs(scale=2.0)}, r"data.source.1=.* \(recorded: "),
    "number": ({}, {"data": pairs(count=12)}, r"data.batches=3 \(recorded: 4\)"),
    "batch size of a PyDataset": (
        {"data": Slices(4)},
        {"data": Slices(8)},
        r"data.batch_size=8 \(recorded: 4\)",
    ),
    "class weight": (
        {"class_weight": {0: 1.0, 1: 2.0, 2: 1.0}},
        {"class_weight": {0: 1.0, 1: 3.0, 2: 1.0}},
        r"class_weight.1=3.0 \(recorded: 2.0\)",
    ),
    "no class weight": (
        {},
        {"class_weight": {0: 1.0}},
        r"class_weight.0=1.0 \(recorded: None\)",
    ),
    "schedule": (
        {"callbacks": lambda: [CosineRestarts(1, 2)]},
        {"callbacks": lambda: [CosineRestarts(2, 2)]},
        r"callbacks.0.cycle_len=2 \(recorded: 1\)",
    ),
    "decay of steps": (
        {"callbacks": lambda: [StepDecay(1, 0.1)]},
        {"callbacks": lambda: [StepDecay(1, 0.5)]},
        r"factor=0.5 \(recorded: 0.1\)",
    ),
    "warm up": (
        {"callbacks": lambda: [WarmUp(2)]},
        {"callbacks": lambda: [WarmUp(3)]},
        r"warm_up_steps=3 \(recorded: 2\)",
    ),
    "epochs of one cycle": (
        {"callbacks": lambda: [OneCycle(max_momentum=None)]},
        {"callbacks": lambda: [OneCycle(max_momentum=None)], "epochs": 3},
        r"`epochs` must be those.*epochs=3 \(recorded: 2\)",
    ),
    "made with": (
        {"made_with": {"photos": {"seed": 1}}},
        {"made_with": {"photos": {"seed": 2}}},
        r"photos.seed=2 \(recorded: 1\)",
    ),
    "fewer epochs": ({}, {"epochs": 1}, "`epochs` must be at least.*epochs=1, .* of 2"),
}


def made(arguments):
    return {name: a() if callable(a) else a for name, a in arguments.items()}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_state_was_made_with_must_be_the_same(change, tmp_path):
    first, second, message = CHANGES[change]
    if change == "class weight":
        first, second = ({**c, "model": classes} for c in (first, second))
        first, second = ({**c, "data": labelled()} for c in (first, second))
    go(tmp_path / "state.npz", **made(first))
    before = (tmp_path / "state.npz").read_bytes()
    with pytest.raises(ValueError, match=message):
        go(tmp_path / "state.npz", **{"epochs": 3, **made(second)})
    assert (tmp_path / "state.npz").read_bytes() == before
    # What was recorded goes on, except where a cycle takes all of the epochs.
    more = 2 if change == "epochs of one cycle" else 3
    assert len(go(tmp_path / "state.npz", **made(first), epochs=more)) == more


class Slots:
    """A loss without a dict of its own."""

    __slots__ = ()

    def __call__(self, y, answers):
        return keras.ops.mean((y - answers) ** 2, -1)


class Odd(keras.layers.Layer):
    """A layer whose configuration holds what JSON cannot."""

    def call(self, x):
        return x

    def get_config(self):
        return {"a": {2, 1}, "b": b"b", "c": np.add, "d": tf.float32, "e": object()}


THE_SAME = {
    "slots": (lambda: small(loss=Slots()),) * 2,
    "odd configuration": (lambda: small(layers=[Odd()]),) * 2,
    "not a number": (
        lambda: small(layers=[keras.layers.Masking(float("nan"))]),
        lambda: small(layers=[keras.layers.Masking(float("nan"))]),
    ),
    "lambda on another line": (doubled, lambda: doubled("\n\nlambda x: x * 2.0")),
    "lambda of a session": (
        lambda: small(layers=[keras.layers.Dense(3, eval("lambda x: x * 2.0"))]),
    )
    * 2,
    "more metrics": (small, lambda: small(metrics=["mae"])),
}


@pytest.mark.parametrize("case", THE_SAME)
def test_the_same_training_goes_on(case, tmp_path):
    first, second = THE_SAME[case]
    odd = {"seed": np.int64(3), "path": tmp_path, "sizes": (1, 2)}
    go(tmp_path / "state.npz", first(), epochs=1, made_with=odd)
    assert len(go(tmp_path / "state.npz", second(), made_with=odd)) == 2


def classes():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
    model.compile(SGD(0.5), "sparse_categorical_crossentropy", **EAGERLY)
    return model


def labelled():
    x = np.arange(32, dtype="float32").reshape(8, 4)
    return tf.data.Dataset.from_tensor_slices((x, np.arange(8) % 3)).batch(4)


def test_class_weights_count_in_the_loss(tmp_path):
    losses = [
        go(None, classes(), labelled(), 1, class_weight=weights)["loss"][0]
        for weights in (None, {0: 1e-9, 1: 1e-9, 2: 1e-9})
    ]
    assert losses[0] > 1e-3 and losses[1] < 1e-6


def test_a_training_goes_on_in_one_process_with_the_rate_a_callback_of_keras_left(
    tmp_path,
):
    def lower(epoch, rate):
        return 0.5 * 0.5**epoch

    model = small()
    scheduler = [keras.callbacks.LearningRateScheduler(lower)]
    go(tmp_path / "state.npz", model, callbacks=scheduler)
    history = go(tmp_path / "state.npz", model, epochs=4, callbacks=scheduler)
    np.testing.assert_allclose(history["learning_rate"], [0.5, 0.25, 0.125, 0.0625])


def adapted(adapt, kind):
    x = np.random.default_rng(0).normal(100, 30, (16, 4)).astype("float32")
    layer = {
        "normalization": keras.layers.Normalization(),
        "discretization": keras.layers.Discretization(num_bins=3),
    }[kind]
    if adapt or kind == "discretization":
        layer.adapt(x * adapt)
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(3)])
    model.compile(SGD(0.1), "mse")
    return model


def test_an_adapted_normalization_is_read_back(tmp_path):
    first, second = adapted(1, "normalization"), adapted(0, "normalization")
    x = np.full((2, 4), 90.0, "float32")
    second.predict(x, verbose=0)  # traced before
    go(tmp_path / "state.npz", first)
    go(tmp_path / "state.npz", second)
    np.testing.assert_array_equal(
        first.predict(x, verbose=0), second.predict(x, verbose=0)
    )


def test_what_a_layer_keeps_outside_of_its_weights_must_be_the_same(tmp_path):
    go(tmp_path / "state.npz", adapted(1, "discretization"))
    with pytest.raises(ValueError, match=r"layers.1.(bin_boundaries|adapted).*record"):
        go(tmp_path / "state.npz", adapted(2, "discretization"))
