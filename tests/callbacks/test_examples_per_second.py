import time

import keras
import numpy as np
import pytest

from kerasdl.callbacks import ExamplesPerSecond

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")


def test_training_alone_is_counted():
    """Between the time of the batches and that of the epoch without validation."""
    spent = {"batches": 0.0, "began": 0.0, "ended": 0.0}

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            spent["began"] = time.monotonic()

        def on_train_batch_begin(self, batch, logs=None):
            self.began = time.monotonic()

        def on_train_batch_end(self, batch, logs=None):
            spent["batches"] += time.monotonic() - self.began

        def on_test_begin(self, logs=None):
            spent["ended"] = time.monotonic()

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(
        X,
        X[:, :1],
        batch_size=8,
        validation_data=(X, X[:, :1]),
        callbacks=[Clock(), ExamplesPerSecond(40)],
        verbose=0,
    ).history
    seconds = 40 / history["examples_per_second"][0]
    assert spent["batches"] < seconds < spent["ended"] - spent["began"]


def test_bad_arguments():
    with pytest.raises(
        ValueError, match="`num_examples` must be an integer of at leas"
    ):
        ExamplesPerSecond(0)
