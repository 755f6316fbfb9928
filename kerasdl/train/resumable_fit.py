"""`fit` that a kill does not restart: all state and history are saved every epoch."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasdl import _atomic


def resumable_fit(
    model: keras.Model,
    x: Any,
    epochs: int,
    state: str | Path,
    validation_data: Any = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    start_epoch: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Train a compiled model; go on after the last whole epoch that `state` holds.

    The state is every variable of the model and its optimizer, dropout's random state
    and the schedule's position among them, so that a continued run ends with the
    weights of an unbroken one if its data repeats too.

    Args:
        model: compiled; layer `trainable` flags as when `state` was begun.
        x: anything `fit` takes that is one epoch a pass.
        epochs: number of epochs in all.
        state: `.npz` file, made after the first epoch.
        validation_data: as in `fit`.
        callbacks: further callbacks.
        start_epoch: told the number of the first epoch to train, for data whose
            order depends on it (`ImageData.start_epoch`).

    Returns:
        A row for each epoch: epoch (from 1), what `fit` logs, learning_rate, seconds;
        `attrs["restored"]` is the number of rows that `state` held.

    Raises:
        ValueError: `model` is not compiled, or `state` belongs to another one.
    """
    if not model.compiled:
        raise ValueError(
            "`model` must be compiled. Received: model.compiled=False. "
            "Call `model.compile()` first."
        )
    model.optimizer.build(model.trainable_variables)
    saver = _SaveState(Path(state), _restore(model, Path(state)))
    done = len(saver.history)
    if start_epoch is not None:
        start_epoch(done)
    if done < epochs:
        model.fit(
            x,
            initial_epoch=done,
            shuffle=False,  # the data orders itself
            epochs=epochs,
            validation_data=validation_data,
            callbacks=[*callbacks, saver],
            # A bar rewrites its line, which only a terminal shows as one.
            verbose=1 if sys.stdout.isatty() else 2,
        )
    history = pd.DataFrame(saver.history)
    history.attrs["restored"] = done
    return history


class _SaveState(keras.callbacks.Callback):
    """Writes all variables and the history at the end of each epoch."""

    def __init__(self, path: Path, history: list[dict[str, float]]) -> None:
        super().__init__()
        self.path = path
        self.history = history

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        row = {"epoch": epoch + 1}
        row |= {name: float(value) for name, value in logs.items()}
        row["learning_rate"] = float(self.model.optimizer.learning_rate)
        row["seconds"] = round(time.monotonic() - self.began, 2)
        self.history.append(row)
        arrays = {f"v{i}": v.numpy() for i, v in enumerate(_variables(self.model))}
        with _atomic.replacing(self.path) as beside:
            np.savez(beside, history=json.dumps(self.history), **arrays)


def _restore(model: keras.Model, path: Path) -> list[dict[str, float]]:
    """Assign what `path` holds to `model`; return the history so far."""
    if not path.exists():
        return []
    variables = _variables(model)
    with np.load(path) as saved:
        arrays = [saved[f"v{i}"] for i in range(len(saved.files) - 1)]
        history = json.loads(str(saved["history"]))
    if [array.shape for array in arrays] != [tuple(v.shape) for v in variables]:
        raise ValueError(
            "`state` must have been written by the same model and optimizer. "
            f"Received: state={str(path)!r}. Remove it to start anew."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return history


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
