"""A training goes on after the last whole epoch, and ends like an unbroken one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

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
