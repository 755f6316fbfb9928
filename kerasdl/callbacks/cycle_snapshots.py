"""The weights at the end of each cosine cycle, for an ensemble from one training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from kerasdl._atomic import write_by
from kerasdl._checks import make_writable_folder

from ._rate_schedule import schedule_of
from .cosine_restarts import CosineRestarts


class CycleSnapshots(keras.callbacks.Callback):
    """Save the weights at the end of each cycle of `CosineRestarts`.

    The files are `cycle_1.weights.h5`, `cycle_2.weights.h5`, ..., written whole or not
    at all, those of an earlier training replaced. `predict.ensemble` takes them.

    Args:
        directory: made if it is not there, when training begins; of each worker of
            `tf.distribute` its own.

    Attributes:
        files: those of this training so far, in order.

    Raises:
        ValueError: in `fit`, before the first batch, no `CosineRestarts` beside it, or
            a directory that cannot be written to.

    Reference:
        Huang et al., 2017, Snapshot Ensembles, https://arxiv.org/abs/1704.00109;
        fast.ai's `cycle_save_name`.

    Example:
        ```
        learn.fit(1e-2, 2, callbacks=[kd.callbacks.CycleSnapshots("snapshots")])
        ```
    """

    def __init__(self, directory: str | Path) -> None:
        super().__init__()
        self.directory = Path(directory)
        self.files: list[Path] = []

    def get_state(self) -> dict[str, Any]:
        """What a new process needs to go on."""
        return {"files": [file.name for file in self.files]}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on where `get_state` gave `state`."""
        self.files = [self.directory / name for name in state["files"]]

    def _schedule(self) -> CosineRestarts:
        schedule = schedule_of(self)
        if not isinstance(schedule, CosineRestarts):
            raise ValueError(
                "`callbacks` must hold a CosineRestarts beside CycleSnapshots. "
                f"Received: {type(schedule).__name__}"
            )
        return schedule

    def on_epoch_begin(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._schedule()
        make_writable_folder("directory", self.directory)

    def on_epoch_end(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        schedule = self._schedule()
        cycle = schedule.finished_cycle(schedule.epochs_done)
        if cycle is None:
            return
        if cycle == 1:
            self.files = []
        file = self.directory / f"cycle_{cycle}.weights.h5"
        write_by(file, self.model.save_weights)
        self.files.append(file)
