import errno
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasdl.callbacks import BestWeights
from kerasdl.callbacks._later_logs import announce_later

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
VALUES = [0.3, 0.5, 0.5, 0.2, 0.9, 0.1]


class Logs(keras.callbacks.Callback):
    """Puts a value into the logs of each epoch, and remembers the weights."""

    def __init__(self, values):
        super().__init__()
        self.values = values
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        logs["val_accuracy"] = self.values[epoch]
        self.weights.append(self.model.get_weights())


def compiled():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def fit(model, callbacks, **epochs):
    model.fit(X, X[:, :1], verbose=0, callbacks=callbacks, **epochs)


def saved(path):
    model = compiled()
    model.load_weights(path)
    return model.get_weights()


@pytest.mark.parametrize(("mode", "best"), [("max", 5), ("min", 6)])
def test_the_file_holds_the_best_epoch(tmp_path, mode, best):
    logs = Logs(VALUES)
    callback = BestWeights(tmp_path / "best.weights.h5", mode=mode)
    fit(compiled(), [logs, callback], epochs=6)
    assert (callback.epoch, callback.best) == (best, VALUES[best - 1])
    np.testing.assert_array_equal(saved(callback.path)[0], logs.weights[best - 1][0])
    assert [path.name for path in tmp_path.iterdir()] == ["best.weights.h5"]


def test_of_equal_epochs_the_first(tmp_path):
    callback = BestWeights(tmp_path / "best.weights.h5")
    fit(compiled(), [Logs(VALUES), callback], epochs=4)
    assert callback.epoch == 2


def test_another_process_goes_on_with_the_best_so_far(tmp_path):
    first = BestWeights(tmp_path / "best.weights.h5")
    model, logs = compiled(), Logs(VALUES)
    fit(model, [logs, first], epochs=3)
    second = BestWeights(tmp_path / "best.weights.h5")
    second.set_state(first.get_state())
    fit(model, [Logs(VALUES), second], initial_epoch=3, epochs=4)  # 0.2: worse
    assert (second.epoch, second.best) == (2, 0.5)
    np.testing.assert_array_equal(saved(second.path)[0], logs.weights[1][0])


@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_epochs_without_validation_are_passed_over(tmp_path, monitor):
    """As if the callback had been there in the others alone."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    callback = BestWeights(tmp_path / "best.weights.h5", monitor, "min")
    labels = (X[:, :1] > 0).astype("float32")
    history = model.fit(
        X,
        labels,
        epochs=5,
        validation_data=(X, labels),
        validation_freq=2,
        callbacks=[callback],
        verbose=0,
    )
    values = history.history[monitor]
    assert len(values) == 2 and callback.best == min(values)
    assert callback.epoch == 2 * (1 + int(np.argmin(values)))


class Rarely(keras.callbacks.Callback):
    """As TTAEvaluation does with `every=3`."""

    def on_train_begin(self, logs=None):
        announce_later(self, "val_tta_accuracy")

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = 0.0
        if epoch % 3 == 2:
            logs["val_tta_accuracy"] = 0.5


def test_what_another_callback_logs_rarely(tmp_path):
    callback = BestWeights(tmp_path / "best.weights.h5", "val_tta_accuracy")
    fit(compiled(), [Rarely(), callback], epochs=4)
    assert callback.epoch == 3
    wrong = BestWeights(tmp_path / "best.weights.h5", "val_tta_acc")
    with pytest.raises(ValueError, match="`monitor` must be one of loss, val_loss"):
        fit(compiled(), [Rarely(), wrong], epochs=4)


def test_a_training_without_validation(tmp_path):
    callback = BestWeights(tmp_path / "best.weights.h5")
    with pytest.raises(ValueError, match="must be one of loss. Received.*val_accuracy"):
        fit(compiled(), [callback], epochs=2)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone/best.weights.h5", "`path` must be in a folder that exists.*Make .*gone"),
        ("file/best.weights.h5", "`path` must be in a folder that exists"),
        ("folder.weights.h5", "`path` must be a file.*which is a folder"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_training(tmp_path, path, message):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.weights.h5").mkdir()
    model = compiled()
    with pytest.raises(ValueError, match=message):
        fit(model, [BestWeights(tmp_path / path)], epochs=1)
    assert int(model.optimizer.iterations) == 0


def test_a_full_disk_is_an_exception_that_names_its_folder(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    callback = BestWeights(tmp_path / "best.weights.h5", "loss", "min")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=f"no room in the folder '{tmp_path}'.*best.wei"):
        fit(compiled(), [callback], epochs=1)
    assert list(tmp_path.iterdir()) == [] and callback.epoch is None


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="`path` must end in .weights.h5"):
        BestWeights(tmp_path / "best.h5")
    with pytest.raises(ValueError, match="`mode` must be one of 'max', 'min'"):
        BestWeights(tmp_path / "best.weights.h5", mode="auto")
    callback = BestWeights(tmp_path / "best.weights.h5", monitor="f1")
    with pytest.raises(ValueError, match="`monitor` must be one of loss.*'f1'"):
        fit(compiled(), [callback], epochs=1)
