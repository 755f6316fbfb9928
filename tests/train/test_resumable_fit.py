import errno
import functools
import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

from kerasdl.callbacks import CosineRestarts, OneCycle, StepDecay, WarmUp
from kerasdl.train import ActivationBatches, resumable_fit


def network(units=8):
    """Dropout and BatchNorm: random state and statistics must be kept too."""
    initializer = keras.initializers.GlorotUniform(seed=1)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(units, kernel_initializer=initializer),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=2),
            keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initializer),
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(1e-2, 20)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model


@pytest.fixture
def batches():
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(20, 5)).astype("float32") for _ in range(2)]
    labels = rng.integers(0, 2, (20, 1)).astype("float32")

    def make():
        return ActivationBatches(views, labels, 4, shuffle=True, seed=3)

    return make


def train(model, batches, state, epochs=4, callbacks=()):
    def start_epoch(epoch):
        batches.stream.next_epoch = epoch

    valid = ActivationBatches(batches.views[:1], batches.labels, 4)
    return resumable_fit(
        model,
        batches.dataset(),
        epochs,
        state,
        validation_data=valid.dataset(),
        callbacks=callbacks,
        start_epoch=start_epoch,
    )


class Kill(keras.callbacks.Callback):
    """Ctrl-C at one batch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.epoch = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (1, 0), (3, 4)])
def test_ends_like_an_unbroken_run(epoch, batch, batches, tmp_path):
    whole = network()
    expected = train(whole, batches(), tmp_path / "whole.npz")
    state = tmp_path / "state.npz"
    with pytest.raises(KeyboardInterrupt):
        train(network(), batches(), state, callbacks=[Kill(epoch, batch)])
    model = network()
    history = train(model, batches(), state)
    assert history.attrs["restored"] == epoch
    columns = [column for column in expected if column != "seconds"]
    np.testing.assert_allclose(history[columns], expected[columns], rtol=1e-6)
    for ours, wanted in zip(model.variables, whole.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), wanted.numpy())


def test_finished_state_trains_no_more(batches, tmp_path):
    model = network()
    first = train(model, batches(), tmp_path / "state.npz")
    again = network()
    second = train(again, batches(), tmp_path / "state.npz")
    assert second.equals(first)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_history_names_epoch_rate_and_seconds(batches, tmp_path):
    history = train(network(), batches(), tmp_path / "state.npz")
    assert list(history["epoch"]) == [1, 2, 3, 4]
    # Cosine from 0.01 over 20 steps, five batches an epoch.
    expected = 0.01 * (1 + np.cos(np.pi * np.array([5, 10, 15, 20]) / 20)) / 2
    np.testing.assert_allclose(history["learning_rate"], expected, atol=1e-7)
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"} <= set(history)


class Keeps(keras.callbacks.Callback):
    """Has numbers and an array for state, and knows how its training went."""

    def __init__(self):
        super().__init__()
        self.state, self.events = {"epochs": 0, "sums": np.zeros(3)}, []

    def get_state(self):
        return self.state

    def set_state(self, state):
        self.state = state

    def on_train_begin(self, logs=None):
        self.events.append("begin")

    def on_epoch_end(self, epoch, logs=None):
        sums = self.state["sums"] + [epoch, epoch**2, 1]
        self.state = {"epochs": self.state["epochs"] + 1, "sums": sums}

    def on_train_end(self, logs=None):
        self.events.append("end")


def plain():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_callbacks_with_a_state_go_on_with_it(batches, tmp_path):
    state, first, second, third = tmp_path / "state.npz", Keeps(), Keeps(), Keeps()
    with pytest.raises(KeyboardInterrupt):
        train(plain(), batches(), state, callbacks=[first, Kill(2, 1)])
    train(plain(), batches(), state, callbacks=[second])
    assert second.state["epochs"] == 4
    np.testing.assert_array_equal(second.state["sums"], [0 + 1 + 2 + 3, 14, 4])
    # A finished state trains no more, but begins and ends.
    train(plain(), batches(), state, callbacks=[third])
    assert third.state["epochs"] == 4
    assert third.events == ["begin", "end"]


def test_a_finished_state_is_ended_as_the_run_was(batches, tmp_path):
    """Keras gives the weights of `use_ema` out at the end of training alone."""

    def averaged():
        model = network()
        model.compile(keras.optimizers.Adam(1e-2, use_ema=True), "binary_crossentropy")
        return model

    model, again = averaged(), averaged()
    train(model, batches(), tmp_path / "state.npz")
    train(again, batches(), tmp_path / "state.npz")
    for ours, wanted in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_without_a_state_nothing_is_written(batches, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, whole = plain(), plain()
    whole.set_weights(model.get_weights())
    keeps = Keeps()
    history = train(model, batches(), None, callbacks=[keeps])
    assert list(tmp_path.iterdir()) == [] and keeps.state["epochs"] == 4
    expected = train(whole, batches(), tmp_path / "state.npz")
    columns = [column for column in expected if column != "seconds"]
    np.testing.assert_array_equal(history[columns], expected[columns])
    for ours, wanted in zip(model.variables, whole.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), wanted.numpy())


@pytest.mark.parametrize("callbacks", [(), (Keeps(), Keeps())])
def test_state_of_other_callbacks(callbacks, batches, tmp_path):
    train(plain(), batches(), tmp_path / "state.npz", 1, [Keeps()])
    model = plain()
    before = model.get_weights()
    with pytest.raises(ValueError, match="written with the same callbacks.*of Keeps"):
        train(model, batches(), tmp_path / "state.npz", callbacks=callbacks)
    for ours, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_state_of_another_model(batches, tmp_path):
    train(network(), batches(), tmp_path / "state.npz", epochs=1)
    with pytest.raises(ValueError, match="`state` must have been written by the same"):
        train(network(units=9), batches(), tmp_path / "state.npz")


def small(optimizer=None, loss="mse", layers=(), frozen=False, **arguments):
    """A model of one dense layer, and of `layers` after it."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), *layers])
    model.layers[0].trainable = not frozen
    model.compile(optimizer or keras.optimizers.SGD(0.5), loss, **arguments)
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
    model.compile(SGD(0.5), "sparse_categorical_crossentropy")
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


@pytest.mark.parametrize("damage", ["cut", "empty", "no zip", "flipped"])
def test_a_damaged_state_is_named_with_what_to_do(damage, tmp_path):
    path, model = tmp_path / "state.npz", small()
    go(path)
    content = path.read_bytes()
    place = content.index(b"v0.npy") + 200
    flipped = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    path.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "no zip": b"{}",
            "flipped": flipped,
        }[damage]
    )
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"'state.npz' must be whole.*Remove it to"):
        go(path, model)
    for ours, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, wanted)


TEXTS = {
    "history": ("null", "{", '"epoch"'),
    "callbacks": ("[1]", "{}", '[["StepDecay", {}]]'),
    "made_with": ("[]", "null"),
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n in TEXTS for t in TEXTS[n]])
def test_a_state_of_something_else_is_named(name, text, tmp_path):
    path, callbacks = tmp_path / "state.npz", [StepDecay()]
    go(path, callbacks=callbacks)
    with np.load(path) as saved:
        np.savez(path, **{**saved, name: text})
    with pytest.raises(ValueError, match=r"state.npz"):
        go(path, callbacks=callbacks)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("gone/state.npz", "`state` must be in a folder that exists.*Make .*gone"),
        ("state.h5", "`state` must end in .npz"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_training(state, message, tmp_path):
    model = small()
    with pytest.raises(ValueError, match=message):
        go(tmp_path / state, model)
    assert not model.optimizer.built


def test_a_full_disk_names_the_folder_and_keeps_the_last_state(tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    go(path, epochs=1)
    before = path.read_bytes()

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"no room in the folder '{tmp_path}'.*state.npz"):
        go(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_not_compiled(batches, tmp_path):
    model = network()
    model.compiled = False
    with pytest.raises(ValueError, match="`model` must be compiled"):
        train(model, batches(), tmp_path / "state.npz")


@pytest.mark.parametrize("count", [0, 1])
def test_data_without_batches_trains_nothing(count, tmp_path):
    """Empty, and what can be read once alone: Keras would go on without a word."""
    rows = iter([(np.ones((4, 5), "float32"), np.ones((4, 1), "float32"))] * count)
    spec = (tf.TensorSpec((4, 5)), tf.TensorSpec((4, 1)))
    once = tf.data.Dataset.from_generator(lambda: rows, output_signature=spec)
    with pytest.raises(ValueError, match=f"`x` must have.* none in pass {count + 1}"):
        resumable_fit(network(), once, 3, tmp_path / "state.npz")
