"""Kills a training at moments drawn from a seed, and resumes it.

    python trials_of_kills.py FOLDER COUNT SEED

Imports TensorFlow once and forks before it runs anything: each run of the training is
a process of its own, which may die, and starts at once. The first run is left to end;
it lists its moments. Each trial is killed at one of them, looked at, and resumed.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf

from kerasdl.callbacks import CycleSnapshots, WeightAveraging
from kerasdl.train import fit_cycles


class Moments(keras.callbacks.Callback):
    def __init__(self, folder, die_at):
        super().__init__()
        self.folder, self.die_at, self.names = folder, die_at, []
        self.after(np.lib.format, "write_array", "in the state")
        self.after(h5py.Group, "create_dataset", "in a snapshot")
        self.after(os, "fsync", "before a rename")
        self.after(os, "replace", "after a rename")

    def after(self, owner, name, moment):
        original = getattr(owner, name)

        def counted(*args, **kwargs):
            result = original(*args, **kwargs)
            self.pass_by(moment)
            return result

        setattr(owner, name, counted)

    def pass_by(self, moment):
        self.names.append(moment)
        if len(self.names) - 1 == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_epoch_begin(self, epoch, logs=None):
        with open(self.folder / "begun", "a") as file:
            file.write(f"{epoch}\n")
        self.pass_by("between epochs")

    def on_train_batch_begin(self, batch, logs=None):
        self.pass_by("before a batch")

    def on_train_batch_end(self, batch, logs=None):
        self.pass_by("after a batch")


def train(folder, die_at):
    keras.utils.set_random_seed(3)
    x = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(4)
    layers = [keras.layers.Dense(3), keras.layers.Dropout(0.3, seed=1)]
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])
    # A trace for each process would take longer than its nine batches.
    model.compile(keras.optimizers.Adam(0.1), "mse")
    kept = [CycleSnapshots(folder / "snapshots"), WeightAveraging()]
    moments = Moments(folder, die_at)
    history = fit_cycles(
        model,
        (data, None),
        0.1,
        cycles=2,
        callbacks=[*kept, moments],
        state=folder / "state.npz",
    )
    names = list(moments.names)
    result = {
        "restored": history.attrs["restored"],
        "rates": history.attrs["learning_rates"],
        "losses": list(history["loss"]),
        "weights": [w.tolist() for w in model.get_weights()],
        "files": sorted(str(f.relative_to(folder)) for f in folder.rglob("*")),
        "names": names,
    }
    (folder / "result.json").write_text(json.dumps(result))


def in_a_process(folder, die_at):
    folder.mkdir(exist_ok=True)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            sys.stdout = open(os.devnull, "w")
            train(folder, die_at)
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def look(folder):
    saved = 0
    if (folder / "state.npz").exists():
        with np.load(folder / "state.npz") as state:
            arrays = {name: state[name] for name in state.files}  # checks sums
        saved = len(json.loads(str(arrays["history"])))
    for file in folder.glob("snapshots/cycle*"):
        with h5py.File(file) as weights:
            weights.visititems(lambda name, item: None)
    begun = folder / "begun"
    epochs = begun.read_text().split() if begun.exists() else []
    return {"saved": saved, "begun": len(epochs)}


folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
assert in_a_process(folder / "whole", None) == 0
whole = json.loads((folder / "whole" / "result.json").read_text())
rng, trials = random.Random(seed), []
kinds = sorted(set(whole["names"]))
rng.shuffle(kinds)
for number in range(count):
    kind = kinds[number % len(kinds)]
    places = [i for i, name in enumerate(whole["names"]) if name == kind]
    place, trial = rng.choice(places), folder / str(number)
    status = in_a_process(trial, place)
    found = {"moment": kind, "place": place, "status": status, **look(trial)}
    found["second"] = in_a_process(trial, None)
    found |= json.loads((trial / "result.json").read_text())
    trials.append(found)
print(json.dumps({"whole": whole, "trials": trials}))
