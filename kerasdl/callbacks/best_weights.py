"""The weights of the best epoch in a file, also when a killed training goes on."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from kerasdl._atomic import write_by
from kerasdl._checks import check_one_of


class BestWeights(keras.callbacks.Callback):
    """Save the weights after each epoch that is better than all before.

    Keras's ModelCheckpoint forgets the best epoch of a training that is resumed, and
    leaves half a file when it is killed.

    Args:
        path: the file, ending in `.weights.h5`; of each worker of `tf.distribute` its
            own.
        monitor: what is compared, of the logs of an epoch.
        mode: "max" where more is better, "min" where less is.

    Attributes:
        best: the best value so far.
        epoch: its epoch, from 1; None before the first.

    Raises:
        ValueError: `mode` is neither; in `fit`, logs without `monitor`.
    """

    def __init__(
        self, path: str | Path, monitor: str = "val_accuracy", mode: str = "max"
    ) -> None:
        super().__init__()
        check_one_of("mode", mode, ("max", "min"))
        self.path = Path(path)
        self.monitor = monitor
        self.mode = mode
        self.best = -math.inf if mode == "max" else math.inf
        self.epoch: int | None = None

    def get_state(self) -> dict[str, Any]:
        """What a new process needs to go on."""
        return {"best": self.best, "epoch": self.epoch}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on where `get_state` gave `state`."""
        self.best, self.epoch = state["best"], state["epoch"]

    def on_epoch_end(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.monitor not in logs:
            raise ValueError(
                f"`monitor` must be one of {', '.join(logs)}. "
                f"Received: monitor={self.monitor!r}"
            )
        value = float(logs[self.monitor])
        better = value > self.best if self.mode == "max" else value < self.best
        if not better:
            return
        write_by(self.path, self.model.save_weights)
        self.best, self.epoch = value, epoch + 1
