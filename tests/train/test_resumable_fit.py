import keras
import numpy as np
import pytest

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


def test_state_of_another_model(batches, tmp_path):
    train(network(), batches(), tmp_path / "state.npz", epochs=1)
    with pytest.raises(ValueError, match="`state` must have been written by the same"):
        train(network(units=9), batches(), tmp_path / "state.npz")


def test_not_compiled(batches, tmp_path):
    model = network()
    model.compiled = False
    with pytest.raises(ValueError, match="`model` must be compiled"):
        train(model, batches(), tmp_path / "state.npz")
