"""What a training shows where there is no terminal."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.train import fit_cycles

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def fit(**options):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    whole = tf.data.Dataset.from_tensors((X, X[:, :1]))
    return fit_cycles(model, (whole, whole), 0.1, cycles=2, cycle_mult=1, **options)


def test_each_epoch_is_a_line_in_a_file(capsys):
    history = fit()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    named = dict(part.split(": ") for part in lines[1].split(" - ")[2:])
    assert [*named] == ["loss", "mae", "val_loss", "val_mae", "learning_rate"]
    assert named["val_mae"] == f"{history['val_mae'][1]:.4f}"


def test_each_epoch_is_a_row_of_a_table_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    history = fit()
    # A bar is rewritten after a carriage return, and gone in the end.
    lines = capsys.readouterr().out.split("\n")
    shown = [line.split("\r")[-1] for line in lines]
    header, *rows = [line for line in shown if line.strip()]
    names = "epoch train_loss valid_loss train_mae valid_mae rate time"
    assert header.split() == names.split()
    assert [row.split()[0] for row in rows] == ["1", "2"]
    assert rows[1].split()[1] == f"{history['loss'][1]:.4f}"
    assert {len(header)} == set(map(len, rows))


def test_nothing_is_shown_when_nothing_shall_be(capsys):
    history = fit(verbose=0)
    assert capsys.readouterr() == ("", "")
    np.testing.assert_array_equal(history["loss"], fit()["loss"])
    with pytest.raises(ValueError, match="`verbose` must be one of 0, 1. Rec.*=2"):
        fit(verbose=2)
