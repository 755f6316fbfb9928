import keras
import numpy as np
import pytest

from kerasdl.callbacks import BestWeights

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


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="`mode` must be one of 'max', 'min'"):
        BestWeights(tmp_path / "best.weights.h5", mode="auto")
    callback = BestWeights(tmp_path / "best.weights.h5", monitor="val_f1")
    with pytest.raises(ValueError, match="`monitor` must be one of loss.*'val_f1'"):
        fit(compiled(), [callback], epochs=1)
