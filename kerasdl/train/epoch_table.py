"""What a training shows: a bar that moves, and a table that grows by a row an epoch."""

import sys
from collections.abc import Sequence
from html import escape
from typing import Any

import keras
import pandas as pd
from tqdm import tqdm

from kerasdl._notebook import notebook
from kerasdl._progress import Cell, bar

from .history_table import as_texts

_ROWS = 40  # of the last epochs, that a cell shows
_LEAST = 8  # letters of a column, so that later numbers fit


class EpochRows(pd.DataFrame):
    """A row for each epoch, which the cell that has shown them does not show again."""

    def _ipython_display_(self, **_: Any) -> None:
        shell = notebook()
        if shell is None or self.attrs.get("cell") != shell.execution_count:
            raise NotImplementedError  # IPython shows a DataFrame


class EpochTable(keras.callbacks.Callback):
    """Shows the epochs of `history`, which another callback adds to.

    In a notebook and on a terminal there is a bar below the table while it trains; in
    a file each epoch is a line with its names.

    Args:
        history: a row for each epoch so far.
    """

    def __init__(self, history: Sequence[dict[str, float]]) -> None:
        super().__init__()
        self._history = history
        self._restored = len(history)
        self._header: list[str] = []
        self._cell = Cell() if notebook() is not None else None
        self._bar: tqdm | None = None
        self._epoch = self._batch = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        self._epoch, self._batch = epoch + 1, 0
        if self._cell is None and sys.stdout.isatty():
            self._bar = tqdm(
                desc=f"epoch {self._epoch} of {self.params['epochs']}",
                total=self.params["steps"],
                leave=False,
                unit=" batches",
                file=sys.stdout,
            )

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:  # noqa: D102
        self._batch = batch + 1
        if self._bar is not None:
            self._bar.update()
        if self._cell is not None and self._cell.is_due():
            self._cell.show(self._html(with_bar=True))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:  # noqa: D102
        self._close_bar()
        if self._cell is not None:
            self._cell.show(self._html(with_bar=True), now=True)
            return
        if not sys.stdout.isatty():
            print(_as_line(self._history[-1], self.params["epochs"]), flush=True)
            return
        (row,) = self._texts(self._history[-1:]).to_dict("records")
        if [*row] != self._header:
            self._header = [*row]
            print(_line(row, row))
        print(_line(row, row.values()), flush=True)

    def close(self) -> None:
        """Take the bar away; the table stays."""
        self._close_bar()
        if self._cell is not None and self._epoch:
            self._cell.show(self._html(with_bar=False), now=True)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _texts(self, rows: Sequence[dict[str, float]]) -> pd.DataFrame:
        table = as_texts(pd.DataFrame(rows))
        seconds = [row["seconds"] for row in rows]
        times = [f"{int(time // 60)}:{time % 60:04.1f}" for time in seconds]
        return table.drop(columns="seconds").assign(time=times)

    def _html(self, with_bar: bool) -> str:
        done = self._history[self._restored :][-_ROWS:]
        table = self._texts(done).to_html(index=False, border=0) if done else ""
        if not with_bar:
            return table
        epochs, steps = self.params["epochs"], self.params["steps"]
        total = steps or max(self._batch, 1)
        text = f"epoch {self._epoch} of {epochs}, batch {self._batch} of {steps or '?'}"
        return table + bar(self._batch, total, escape(text))


def _as_line(row: dict[str, float], epochs: int) -> str:
    """An epoch that says by itself what its numbers are, in Keras's words."""
    parts = [f"Epoch {row['epoch']}/{epochs}", f"{row['seconds']:.1f}s"]
    for name, value in row.items():
        if name not in ("epoch", "seconds"):
            form = ".2e" if name.startswith("learning_rate") else ".4f"
            parts.append(f"{name}: {value:{form}}")
    return " - ".join(parts)


def _line(row: dict[str, str], cells: Any) -> str:
    """`cells` under the names of `row`, in columns."""
    widths = [max(len(name), _LEAST) for name in row]
    return "  ".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
