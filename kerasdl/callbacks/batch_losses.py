"""The loss of each batch, as Keras shows only the mean of the epoch so far."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from kerasdl import plots
from kerasdl._optimizer import has_own_step

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class BatchLosses(keras.callbacks.Callback):
    """Record the loss of each batch by itself.

    Two numbers of Keras's own loss metric are read after each batch, which then need
    not be reset: its sum and its weight. On several devices, and in a `train_step` of
    the model's own, these do not tell, and none is recorded.

    Attributes:
        losses: of each batch so far, regularisation included; a second `fit` begins
            anew.
    """

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []
        self._goes_on = False

    def get_state(self) -> dict[str, Any]:
        """What a new process needs to go on."""
        return {"losses": list(self.losses)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on where `get_state` gave `state`."""
        self.losses = list(state["losses"])
        self._goes_on = True

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        if not self._goes_on:
            self.losses = []
        self._goes_on = False
        replicas = self.model.distribute_strategy.num_replicas_in_sync
        self._tells = replicas == 1 and not has_own_step(self.model)

    def on_epoch_begin(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._before = (0.0, 0.0)

    def on_train_batch_end(  # noqa: D102
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if not self._tells:
            return
        tracker = self.model.metrics[0]  # Keras puts the loss first
        numbers = (tracker.total, tracker.count)
        total, count = (float(keras.ops.convert_to_numpy(n)) for n in numbers)
        before, seen = self._before
        self.losses.append((total - before) / (count - seen))
        self._before = (total, count)

    def plot_losses(self, path: str | Path | None = None) -> "Figure":
        """Draw the losses, raw and smoothed; see `plots.save_losses`."""
        return plots.save_losses(self.losses, path)
