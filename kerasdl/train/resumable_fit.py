"""`fit` that a kill does not restart: all state and history are saved every epoch."""

import io
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasdl import _atomic, strategies

from .distributed import distributed
from .fused_batch_norm import fused_batch_norm


def resumable_fit(
    model: keras.Model,
    x: Any,
    epochs: int,
    state: str | Path | None = None,
    validation_data: Any = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    start_epoch: Callable[[int], None] | None = None,
    class_weight: Mapping[int, float] | None = None,
) -> pd.DataFrame:
    """Train a compiled model; go on after the last whole epoch that `state` holds.

    The state is every variable of the model and its optimizer, dropout's random state
    and the schedule's position among them, and what callbacks with `get_state()` and
    `set_state(state)` keep. So a continued run ends with the weights of an unbroken one
    if its data repeats too. A finished state is trained no further, but the callbacks
    see training begin and end.

    Of several workers of `tf.distribute` the chief alone reads and writes `state`, and
    gives the others what it read.

    Args:
        model: compiled; layer `trainable` flags as when `state` was begun.
        x: anything `fit` takes that is one epoch a pass.
        epochs: number of epochs in all.
        state: `.npz` file, made after the first epoch; None keeps nothing.
        validation_data: as in `fit`.
        callbacks: further callbacks, with the arguments they had when `state` was
            begun. Those of `kerasdl.callbacks` go on with it. `get_state()` gives
            arrays and what JSON can hold, by name.
        start_epoch: told the number of the first epoch to train, for data whose
            order depends on it (`ImageData.start_epoch`).
        class_weight: as in `fit`.

    Returns:
        A row for each epoch: epoch (from 1), what `fit` logs, learning_rate, seconds;
        `attrs["restored"]` is the number of rows that `state` held.

    Raises:
        ValueError: `model` is not compiled, or `state` belongs to another one or to
            other callbacks.
    """
    if not model.compiled:
        raise ValueError(
            "`model` must be compiled. Received: model.compiled=False. "
            "Call `model.compile()` first."
        )
    path = None if state is None else Path(state)
    keepers = [callback for callback in callbacks if hasattr(callback, "get_state")]
    with model.distribute_strategy.scope():
        model.optimizer.build(model.trainable_variables)
        history = [] if path is None else _restore(model, keepers, path)
    distributed(fused_batch_norm(model))
    done = len(history)
    if start_epoch is not None:
        start_epoch(done)
    model.fit(
        x,
        initial_epoch=done,
        shuffle=False,  # the data orders itself
        epochs=max(done, epochs),
        validation_data=validation_data,
        class_weight=class_weight,
        callbacks=[*callbacks, _SaveState(path, keepers, history)],
        # A bar rewrites its line, which only a terminal shows as one.
        verbose=1 if sys.stdout.isatty() else 2,
    )
    table = pd.DataFrame(history)
    table.attrs["restored"] = done
    return table


class _SaveState(keras.callbacks.Callback):
    """Writes all variables and the history at the end of each epoch."""

    def __init__(
        self,
        path: Path | None,
        keepers: Sequence[Any],
        history: list[dict[str, float]],
    ) -> None:
        super().__init__()
        self.path = path
        self.keepers = keepers
        self.history = history

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        row = {"epoch": epoch + 1}
        row |= {name: float(value) for name, value in logs.items()}
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        row["learning_rate"] = float(rate)
        row["seconds"] = round(time.monotonic() - self.began, 2)
        self.history.append(row)
        if self.path is None or not strategies.is_chief():
            return
        arrays = {f"v{i}": v.numpy() for i, v in enumerate(_variables(self.model))}
        kept = []
        for i, keeper in enumerate(self.keepers):
            values = keeper.get_state()
            large = {k: v for k, v in values.items() if isinstance(v, np.ndarray)}
            arrays |= {f"c{i}.{name}": value for name, value in large.items()}
            small = {k: v for k, v in values.items() if k not in large}
            kept.append([type(keeper).__name__, small])
        with _atomic.replacing(self.path) as beside:
            np.savez(
                beside,
                history=json.dumps(self.history),
                callbacks=json.dumps(kept),
                **arrays,
            )


def _restore(
    model: keras.Model, keepers: Sequence[Any], path: Path
) -> list[dict[str, float]]:
    """Give `model` and `keepers` what `path` holds; return the history so far."""
    content = b""
    if strategies.is_chief():
        _atomic.remove_partials(path)
        content = path.read_bytes() if path.exists() else b""
    if strategies.is_multi_worker():
        content = strategies.from_chief(content)
    if not content:
        return []
    with np.load(io.BytesIO(content)) as saved:
        arrays = {name: saved[name] for name in saved.files}
    history = json.loads(str(arrays.pop("history")))
    kept = json.loads(str(arrays.pop("callbacks")))
    variables = _variables(model)
    found = [arrays[f"v{i}"] for i in range(len(arrays)) if f"v{i}" in arrays]
    if [array.shape for array in found] != [tuple(v.shape) for v in variables]:
        raise ValueError(
            "`state` must have been written by the same model and optimizer. "
            f"Received: state={str(path)!r}. Remove it to start anew."
        )
    names = [name for name, _ in kept]
    if names != [type(keeper).__name__ for keeper in keepers]:
        raise ValueError(
            "`state` must have been written with the same callbacks. Received: "
            f"state={str(path)!r}, of {', '.join(names) or 'none'}. Remove it to start "
            "anew."
        )
    for variable, array in zip(variables, found, strict=True):
        variable.assign(array)
    for i, (keeper, (_, small)) in enumerate(zip(keepers, kept, strict=True)):
        keeper.set_state(small | _with_prefix(arrays, f"c{i}."))
    return history


def _with_prefix(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, Any]:
    """Those of `arrays` whose names begin with `prefix`, by the rest of the name."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
