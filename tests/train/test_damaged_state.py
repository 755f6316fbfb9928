"""A state that is damaged, that is of something else, or that cannot be written."""

import errno
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.callbacks import StepDecay
from kerasdl.train import resumable_fit


def small():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(keras.optimizers.SGD(0.5), "mse", run_eagerly=True)
    return model


def go(state, model=None, epochs=2, **arguments):
    x = np.arange(64, dtype="float32").reshape(16, 4) / 64
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :3])).batch(4)
    return resumable_fit(model or small(), data, epochs, state, **arguments)


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
