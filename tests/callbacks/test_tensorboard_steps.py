import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from kerasdl.callbacks import TensorBoardSteps

X = np.random.default_rng(0).normal(size=(14, 3)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def compiled():
    dense = keras.layers.Dense(1, "sigmoid", kernel_initializer="ones")
    model = keras.Sequential([keras.Input((3,)), dense])
    sgd, loss = keras.optimizers.SGD(0.1), "binary_crossentropy"
    model.compile(sgd, loss, metrics=["accuracy"], run_eagerly=True)
    return model


def written(folder):
    (path,) = (folder / "steps").iterdir()
    return {
        (value.tag, event.step): float(tf.make_ndarray(value.tensor))
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    }


def test_each_batch_has_its_own_values_and_the_step_goes_on(tmp_path):
    """Against `train_on_batch`, whose metrics are reset each time."""
    model, other, expected = compiled(), compiled(), {}
    model.optimizer.iterations.assign(100)  # as in a training that was resumed
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    callback = TensorBoardSteps(tmp_path)
    model.fit(data, epochs=2, verbose=0, shuffle=False, callbacks=[callback])
    for number in range(8):  # the last batch of an epoch has two rows
        rows = slice(number % 4 * 4, number % 4 * 4 + 4)
        other.reset_metrics()
        loss, accuracy = other.train_on_batch(X[rows], Y[rows])
        expected["batch_loss", 101 + number] = loss
        expected["batch_accuracy", 101 + number] = accuracy
    assert written(tmp_path) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    callback = TensorBoardSteps(tmp_path / "file")
    with pytest.raises(ValueError, match="`log_dir` must be"):
        callback.on_train_begin()
