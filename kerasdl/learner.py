"""The Learner of any task: fast.ai's lines, over the public functions of kerasdl."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import pandas as pd

from kerasdl import models, plots, train
from kerasdl._atomic import write_by
from kerasdl._checks import check_one_of
from kerasdl._described import Described
from kerasdl._notebook import is_console, notebook
from kerasdl._numbers import number
from kerasdl._optimizer import rate_of
from kerasdl.batches import TrainingData, is_training_data
from kerasdl.callbacks import BatchLosses
from kerasdl.train.given_callbacks import Callbacks, Given, given_callbacks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rates = float | Sequence[float] | slice


class Learner(Described):
    """A compiled network and its data, trained by fast.ai's practice.

    It knows no task. One that does is a subclass, which adds what its networks answer;
    `kerasdl.Learner` is that of pictures and classes.

    Args:
        model: compiled, with a float as its learning rate.
        data: what it trains on and is validated with.
        folder: keeps the state of each `fit`, so that a killed script resumes; None
            keeps none.

    Attributes:
        model, data: as they stand; `model` is a plain `keras.Model`.
        history: a row for each epoch so far.

    Raises:
        ValueError: `data` is not as `batches.TrainingData` has it, or `model` is not
            compiled.

    Reference:
        fast.ai, lessons 1-3 (`Learner`)
    """

    def __init__(
        self,
        model: keras.Model,
        data: TrainingData,
        folder: str | Path | None = None,
    ) -> None:
        _check_data(data)
        if not model.compiled:
            raise ValueError(
                f"`model` must be compiled. Received: model={model.name!r}, which is "
                "not. Call `model.compile` with its optimizer and loss."
            )
        self.model, self.data = train.distributed(model), data  # it predicts too
        self.history = pd.DataFrame()
        self.folder = None if folder is None else Path(folder)
        self._num_fits, self._suggested = 0, {}
        self._interrupted = False
        self._rates, self._losses = [], []  # of each batch

    def lr_find(
        self,
        start_lr: float = 1e-7,
        end_lr: float = 10,
        num_steps: int = 100,
        mode: str = "exponential",
        *,
        verbose: int = 1,
    ) -> train.LRFind:
        """Find a learning rate; see `train.lr_find`.

        Example:
            ```
            learn.lr_find().plot()
            ```
        """
        model, data = self._trained(verbose=verbose)
        found = train.lr_find(
            model,
            data,
            start_lr=start_lr,
            end_lr=end_lr,
            num_steps=num_steps,
            mode=mode,
            verbose=verbose,
        )
        by_depth = train.rate_ratios(model.optimizer)
        self._suggested[self._what_trains(by_depth)] = found.suggestions["valley"]
        return found

    def fit(
        self,
        learning_rate: Rates | None = None,
        cycles: int = 1,
        cycle_len: int = 1,
        cycle_mult: int = 1,
        callbacks: Given = (),
        *,
        resume: bool = False,
        class_weight: Mapping[int, float] | None = None,
        verbose: int = 1,
    ) -> pd.DataFrame:
        """Train by cosine cycles; see `train.fit_cycles`.

        Without a rate, `suggestions["valley"]` of the last `lr_find` is taken for all
        layers, which is run if there was none of what trains now, without rates by
        depth; a line says what it is.

        With `resume=True`, what an earlier process did of this `fit`, counted from the
        start of the script, is read back from `folder`, and the rest is trained. Other
        rates, cycles or data than it was begun with are an error.

        Ctrl-C, or a notebook's stop button, leaves the network as the last batch made
        it, and the whole epochs in `history`; the next `fit` goes on from there, or,
        with `resume=True`, from the last whole epoch to what the whole would have been.
        `verbose=0` shows nothing.

        Example:
            ```
            learn.fit(1e-2, cycles=3)
            ```
        """
        callbacks = given_callbacks(callbacks)
        number, kept = self._next_fit(resume)
        model, data = self._trained(callbacks, verbose)
        losses = BatchLosses()
        done: list[dict[str, float]] = []
        try:
            history = train.fit_cycles(
                model,
                data,
                learning_rate,
                cycles=cycles,
                cycle_len=cycle_len,
                cycle_mult=cycle_mult,
                callbacks=[*callbacks, losses],
                first_epoch=len(kept),  # views that no `fit` has seen
                state=train.fit_state(self.folder, number, resume),
                class_weight=class_weight,
                suggested=self._suggested.get(self._what_trains()),
                history=done,
                verbose=verbose,
            )
        except KeyboardInterrupt:
            self._note(kept, pd.DataFrame(done), number)
            self._num_fits, self._interrupted = number - 1, True
            if is_console() or not resume:  # a script that resumes is called again
                print(
                    "interrupted: the network is as the last batch left it; whole "
                    f"epochs in `history`: {len(done)}; the next `fit` goes on from "
                    "there"
                )
            raise
        if learning_rate is None:
            self._suggested[self._what_trains()] = train.layer_rates(model)[-1]
        self._num_fits, self._interrupted = number, False
        self._rates += history.attrs["learning_rates"]
        self._losses += losses.losses
        self._note(kept, history, number)
        return history

    def freeze(self) -> int:
        """Freeze all but the head; see `train.freeze`."""
        return self.freeze_to(-1)

    def unfreeze(self) -> int:
        """Let all layers train, BatchNorm held still; see `train.freeze_to`."""
        return self.freeze_to(0)

    def freeze_to(self, first: str | int) -> int:
        """Freeze the layers, or layer groups, before `first`; see `train.freeze_to`."""
        return train.freeze_to(self.model, first, hold_head=True)

    def bn_freeze(self, frozen: bool = True) -> int:
        """Hold BatchNorm statistics still; see `train.bn_freeze`."""
        return train.bn_freeze(self.model, frozen)

    def set_data(self, data: TrainingData) -> None:
        """Go on with other data; the weights and the optimizer stay."""
        _check_data(data)
        self.data = data

    def save(self, path: str | Path) -> None:
        """Write the weights to a file ending in `.weights.h5`."""
        write_by(path, self.model.save_weights)

    def load(self, path: str | Path) -> None:
        """Read weights that `save` wrote; see `models.restore_weights`."""
        models.restore_weights(self.model, path)

    def plot_losses(
        self, path: str | Path | None = None, by: str = "epoch"
    ) -> "Figure":
        """Draw loss and measures of all epochs, or by="batch" the loss of each batch.

        See `plots.save_curves` and `plots.save_losses`. Batches are not looked at by
        themselves on several devices, nor in a `train_step` of the model's own.
        """
        check_one_of("by", by, ("epoch", "batch"))
        if by == "epoch":
            return plots.save_curves(self.history, path)
        return plots.save_losses(self._losses, path)

    def plot_lr(self, path: str | Path | None = None) -> "Figure":
        """Draw the rate of every batch; see `plots.save_learning_rate`."""
        return plots.save_learning_rate(self._rates, path)

    def summary(self) -> pd.DataFrame:
        """The layers, their groups, and which of them train, as `train.layer_table`.

        Outside a notebook `train.summary` prints them too.
        """
        if notebook() is None:
            train.summary(self.model)
        return train.layer_table(self.model)

    def _facts(self) -> dict[str, str]:
        model = self.model
        rate = rate_of(model.optimizer)
        ratios = train.rate_ratios(model.optimizer) or [1]
        rates = ", ".join(f"{rate * ratio:.2g}" for ratio in ratios)
        return {
            "network": _network(model),
            **_parts(model),
            "optimizer": f"{model.optimizer.name}, rate {rates}",
            "data": repr(self.data).splitlines()[0],
            "epochs": f"{len(self.history)} so far",
            "best": _best(self.history),
        }

    def _next_fit(self, resume: bool) -> tuple[int, pd.DataFrame]:
        """The number of the next `fit`, and what `history` holds before it."""
        number = self._num_fits + 1
        if self._interrupted and resume and len(self.history):
            # Its epochs are read back.
            return number, self.history[self.history["stage"] != f"fit {number}"]
        return number + self._interrupted * (not resume), self.history

    def _note(self, kept: pd.DataFrame, rows: pd.DataFrame, number: int) -> None:
        rows = pd.DataFrame(rows).assign(stage=f"fit {number}")
        self.history = pd.concat([kept, rows], ignore_index=True) if len(rows) else kept

    def _trained(
        self, callbacks: Callbacks = (), verbose: int = 1
    ) -> tuple[keras.Model, Any]:
        """The model that trains, which shares its weights, and the data it takes."""
        return self.model, self.data

    def _what_trains(self, by_depth: Sequence[float] | None = None) -> tuple[Any, ...]:
        """What a suggested rate holds for; `by_depth` are the ratios of its layers."""
        count = train.count_trainable(self.model)
        return self.model.optimizer, count, tuple(by_depth or ())


def _network(model: keras.Model) -> str:
    """Its name, and what it takes and gives, which a subclass may not tell."""
    shapes = [getattr(model, f"{of}_shape", None) for of in ("input", "output")]
    return f"{model.name}, {shapes[0]} to {shapes[1]}" if all(shapes) else model.name


def _parts(model: keras.Model) -> dict[str, str]:
    """How many parameters and which groups train; a subclass may not be built yet."""
    if not model.built:
        return {"parameters": "not built yet: the first batch does"}
    table = train.layer_table(model)
    groups = table[table["state"] != ""].groupby("group")["state"]
    frozen = [number for number, states in groups if (states == "frozen").all()]
    count = train.count_trainable(model)
    return {
        "parameters": f"{count:,} of {model.count_params():,} train",
        "groups": f"{len(groups)}, frozen: {', '.join(map(str, frozen)) or 'none'}",
    }


def _best(history: pd.DataFrame) -> str:
    """What was measured in the epoch of the lowest loss on validation data."""
    if "val_loss" not in history or history["val_loss"].isna().all():
        return ""
    row = history["val_loss"].idxmin()
    measured = history.loc[row].filter(like="val_").dropna()
    texts = [f"{name} {number(value)}" for name, value in measured.items()]
    return f"epoch {row + 1}: {', '.join(texts)}"


def _check_data(data: Any) -> None:
    if not is_training_data(data):
        raise ValueError(
            "`data` must be as `batches.TrainingData` has it. Received: data of type "
            f"{type(data).__name__}"
        )
