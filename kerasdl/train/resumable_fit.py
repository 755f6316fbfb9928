"""`fit` that a kill does not restart: all state and history are saved every epoch."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from kerasdl import _atomic, strategies
from kerasdl._checks import check_one_of, check_suffix, check_writable
from kerasdl._notebook import notebook
from kerasdl._npz import damaged_file, read_npz
from kerasdl._optimizer import (
    iterations_of,
    names_optimizers,
    optimizers_of,
    rate_of,
)
from kerasdl._recorded import check_made_with
from kerasdl.models.adapted import finalize_adapted

from . import _made_with
from ._built_metrics import build_metrics
from ._class_weight import check_class_weight
from ._monitors import check_monitors
from ._training_state import all_variables, build_as_saved, built_places
from .distributed import distributed
from .epoch_table import EpochRows, EpochTable
from .faster_steps import faster_steps
from .given_callbacks import Given, given_callbacks

_ADVICE = "Remove it to start anew, or restore it."
_TEXTS = {"history": list, "callbacks": list, "made_with": dict}


def resumable_fit(
    model: keras.Model,
    x: Any,
    epochs: int,
    state: str | Path | None = None,
    validation_data: Any = None,
    callbacks: Given = (),
    start_epoch: Callable[[int], None] | None = None,
    *,
    class_weight: Mapping[int, float] | None = None,
    made_with: Mapping[str, Any] | None = None,
    history: list[dict[str, float]] | None = None,
    verbose: int = 1,
) -> pd.DataFrame:
    """Train a compiled model; go on after the last whole epoch that `state` holds.

    The state is every variable of the model and its optimizers, dropout's random state
    and the schedule's position among them, and what callbacks with `get_state()` and
    `set_state(state)` keep. So a continued run ends with the weights of an unbroken one
    if its data repeats too. A finished state is trained no further, but the callbacks
    see training begin and end.

    What the state was made with stands in it: optimizer and rate, loss, layers and
    which of them train, callbacks with a state and their arguments, `class_weight`, and
    what can be told of `x` without reading it (batches, and arrays in memory). Whatever
    differs is an error that names both values.

    Of several workers of `tf.distribute` the chief alone reads and writes `state`, and
    gives the others what it read.

    A model with its own `train_step` names the optimizers of that as
    `model.optimizers`, a list or a dict. One that is compiled with the only optimizer
    that it has, other than Keras's default, need not.

    Args:
        model: compiled; layer `trainable` flags as when `state` was begun.
        x: anything `fit` takes that is one epoch a pass.
        epochs: number of epochs in all, at least those that `state` holds.
        state: `.npz` file, made after the first epoch; None keeps nothing.
        validation_data: as in `fit`.
        callbacks: further callbacks, with the arguments they had when `state` was
            begun. Those of `kerasdl.callbacks` go on with it. `get_state()` gives
            arrays and what JSON can hold, by name.
        start_epoch: told the number of the first epoch to train, for data whose
            order depends on it (`ImageData.start_epoch`).
        class_weight: as in `fit`.
        made_with: what else decides the training, as JSON can hold it, such as
            `ImageData.facts()`: a continued run must give the same.
        history: an empty list, which gets a row after each epoch: what is done by then
            is known also where an exception or Ctrl-C ends the training.
        verbose: 1 shows a bar and a table of the epochs, which are lines where stdout
            is neither a terminal nor a notebook; 0 shows nothing.

    Returns:
        A row for each epoch: epoch (from 1), what `fit` logs, learning_rate (of several
        optimizers, learning_rate_NAME of each), seconds; `attrs["restored"]` is the
        number of rows that `state` held.

    Raises:
        ValueError: `model` is not compiled, or does not tell its optimizers;
            `class_weight` is no such thing; `verbose` is neither 0 nor 1; a callback
            monitors a validation that there is none of; `x` has no batches; `state` is
            in no folder that can be written to, is damaged, or was made with something
            else.

    Example:
        ```
        kd.train.resumable_fit(model, data.train, epochs=2, state="state.npz")
        ```
    """
    check_one_of("verbose", verbose, (0, 1))
    optimizers_of(model)
    callbacks = given_callbacks(callbacks)
    check_monitors(callbacks, validation_data)
    class_weight = check_class_weight(class_weight)
    path = None if state is None else _place(state)
    keepers = [callback for callback in callbacks if hasattr(callback, "get_state")]
    facts = _made_with.made_with(model, x, keepers, class_weight, made_with)
    history = [] if history is None else history
    with model.distribute_strategy.scope():
        if not names_optimizers(model):
            model.optimizer.build(model.trainable_variables)
        if path is not None and (saved := _read(path)):
            facts = _restore(model, keepers, saved, facts, path)
            history.extend(saved["history"])
    faster_steps(model)
    build_metrics(distributed(model), x)
    done = len(history)
    if epochs < done:
        raise ValueError(
            "`epochs` must be at least those that `state` holds. Received: "
            f"epochs={epochs}, state={str(path)!r} of {done}. Remove it to start anew."
        )
    if start_epoch is not None:
        start_epoch(done)
    table = EpochTable(history) if verbose else None
    saving = _SaveState(path, keepers, history, facts)
    try:
        model.fit(
            x,
            initial_epoch=done,
            shuffle=False,  # the data orders itself
            epochs=epochs,
            validation_data=validation_data,
            class_weight=class_weight,
            callbacks=[*callbacks, saving, *([table] if table else [])],
            verbose=0,
        )
    finally:
        if table:
            table.close()
    rows = EpochRows(history)
    rows.attrs["restored"] = done
    if verbose and (shell := notebook()) is not None:
        rows.attrs["cell"] = shell.execution_count
    return rows


def recorded_rate(state: str | Path | None) -> float | None:
    """The learning rate that the training of `state` was begun with, if there is one.

    Raises:
        ValueError: as in `resumable_fit`.
    """
    saved = {} if state is None else _read(_place(state))
    optimizer = saved.get("made_with", {}).get("optimizer")
    return optimizer.get("learning_rate") if isinstance(optimizer, dict) else None


class _SaveState(keras.callbacks.Callback):
    """Writes all variables and the history at the end of each epoch."""

    def __init__(
        self,
        path: Path | None,
        keepers: Sequence[Any],
        history: list[dict[str, float]],
        made_with: dict[str, Any],
    ) -> None:
        super().__init__()
        self.made_with = made_with
        self.path = path
        self.keepers = keepers
        self.history = history

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.began = time.monotonic()
        self.has_trained = False

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.has_trained = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if not self.has_trained:
            raise ValueError(
                "`x` must have batches in each pass. Received: none in pass "
                f"{epoch + 1}. Data that can be read once alone needs `.repeat()`, or "
                "to be made anew."
            )
        row = {"epoch": epoch + 1}
        row |= {name: float(value) for name, value in logs.items()}
        optimizers = optimizers_of(self.model)
        row |= {f"learning_rate{of}": rate_of(one) for of, one in optimizers.items()}
        row["seconds"] = round(time.monotonic() - self.began, 2)
        self.history.append(row)
        if self.path is None or not strategies.is_chief():
            return
        arrays = {f"v{i}": v.numpy() for i, v in enumerate(all_variables(self.model))}
        arrays |= built_places(self.model)
        kept = []
        for i, keeper in enumerate(self.keepers):
            values = keeper.get_state()
            large = {k: v for k, v in values.items() if isinstance(v, np.ndarray)}
            arrays |= {f"c{i}.{name}": value for name, value in large.items()}
            small = {k: v for k, v in values.items() if k not in large}
            kept.append([type(keeper).__name__, small])
        texts = {
            "history": self.history,
            "callbacks": kept,
            "made_with": self.made_with,
        }
        arrays |= {name: json.dumps(value) for name, value in texts.items()}
        _atomic.write_by(self.path, lambda file: np.savez(file, **arrays))


def _place(state: str | Path) -> Path:
    path = check_suffix("state", state, ".npz")
    return check_writable("state", path) if strategies.is_chief() else path


def _read(path: Path) -> dict[str, Any]:
    """What the chief finds at `path`, on all workers; nothing if there is no file.

    Raises:
        ValueError: the file is damaged.
    """
    content = b""
    if strategies.is_chief():
        _atomic.remove_partials(path)
        content = path.read_bytes() if path.exists() else b""
        if path.exists() and not content:
            raise damaged_file(path, "empty", _ADVICE)
    if strategies.is_multi_worker():
        content = strategies.from_chief(content)
    if not content:
        return {}
    saved: dict[str, Any] = read_npz(path, _TEXTS, _ADVICE, content=content)
    for name, kind in _TEXTS.items():
        try:
            saved[name] = json.loads(str(saved[name]))
        except (ValueError, RecursionError) as error:
            raise damaged_file(path, f"{name}: {error}", _ADVICE) from error
        if not isinstance(saved[name], kind):
            raise damaged_file(path, f"{name} of another kind", _ADVICE)
    rows = saved["history"]
    if not rows or not all(type(row) is dict and "epoch" in row for row in rows):
        raise damaged_file(path, "history of another kind", _ADVICE)
    kinds = [list(map(type, part)) for part in saved["callbacks"] if type(part) is list]
    if kinds != [[str, dict]] * len(saved["callbacks"]):
        raise damaged_file(path, "callbacks of another kind", _ADVICE)
    return saved


def _restore(
    model: keras.Model,
    keepers: Sequence[Any],
    saved: dict[str, Any],
    facts: dict[str, Any],
    path: Path,
) -> dict[str, Any]:
    """Give `model` and `keepers` what was saved; return what it was made with."""
    kept = saved["callbacks"]
    found = [saved[f"v{i}"] for i in range(len(saved)) if f"v{i}" in saved]
    names = [part[0] for part in kept]
    if names != [type(keeper).__name__ for keeper in keepers]:
        raise ValueError(
            "`state` must have been written with the same callbacks. Received: "
            f"state={str(path)!r}, of {', '.join(names) or 'none'}. Remove it to start "
            "anew."
        )
    facts = _as_recorded(model, facts, saved)
    check_made_with(saved["made_with"], facts, "state", str(path))
    build_as_saved(model, saved)
    variables = all_variables(model)
    if [array.shape for array in found] != [tuple(v.shape) for v in variables]:
        raise ValueError(
            "`state` must have been written by the same model and optimizer. "
            f"Received: state={str(path)!r}. Remove it to start anew."
        )
    try:
        for i, (keeper, (_, small)) in enumerate(zip(keepers, kept, strict=True)):
            keeper.set_state(small | _with_prefix(saved, f"c{i}."))
    except (KeyError, TypeError) as error:
        raise damaged_file(path, f"state of a callback: {error!r}", _ADVICE) from error
    for variable, array in zip(variables, found, strict=True):
        variable.assign(array)
    finalize_adapted(model)
    return saved["made_with"]


def _as_recorded(
    model: keras.Model, facts: dict[str, Any], saved: dict[str, Any]
) -> dict[str, Any]:
    """`facts`, with the rate of the record for a model that stands where it ended.

    That has trained in this process, and a callback of Keras has changed its rate.
    """
    recorded, last = saved["made_with"], saved["history"][-1]
    for of, optimizer in optimizers_of(model).items():
        name, rate = f"optimizer{of}", f"learning_rate{of}"
        if iterations_of(optimizer) and name in recorded and rate in last:
            if facts[name].get("learning_rate") == _made_with.rounded(last[rate]):
                asked = recorded[name].get("learning_rate")
                facts |= {name: facts[name] | {"learning_rate": asked}}
    return facts


def _with_prefix(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, Any]:
    """Those of `arrays` whose names begin with `prefix`, by the rest of the name."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
