"""The weights of the best epoch in a file, also when a killed training goes on."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from kerasdl._atomic import write_by
from kerasdl._checks import check_one_of, check_suffix, check_writable

from ._later_logs import comes_later


class BestWeights(keras.callbacks.Callback):
    """Save the weights after each epoch that is better than all before.

    An epoch without validation, as of `fit(validation_freq=2)`, is passed over.

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
        ValueError: `mode` is neither, or `path` ends otherwise; in `fit`, before the
            first batch, a folder that is not there or cannot be written to; logs
            without `monitor`, or no epoch that has it.

    Example:
        ```
        best = kd.callbacks.BestWeights("best.weights.h5", "val_loss", "min")
        model.fit(data.train, validation_data=data.valid, callbacks=[best])
        ```
    """

    def __init__(
        self, path: str | Path, monitor: str = "val_accuracy", mode: str = "max"
    ) -> None:
        super().__init__()
        check_one_of("mode", mode, ("max", "min"))
        self.path = check_suffix("path", path, ".weights.h5")
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

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        check_writable("path", self.path)
        self._missed: list[str] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:  # noqa: D102
        if self.monitor not in logs:
            self._missed = list(logs)
            if not comes_later(self, self.monitor, logs):
                raise self._without_monitor()
            return
        value = float(logs[self.monitor])
        better = value > self.best if self.mode == "max" else value < self.best
        if not better:
            return
        write_by(self.path, self.model.save_weights)
        self.best, self.epoch = value, epoch + 1

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        if self._missed and self.epoch is None:
            raise self._without_monitor()

    def _without_monitor(self) -> ValueError:
        return ValueError(
            f"`monitor` must be one of {', '.join(self._missed or ())}. "
            f"Received: monitor={self.monitor!r}"
        )
