"""Stochastic weight averaging: the mean of the weights that a training passes."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from kerasdl._checks import check_non_negative_int
from kerasdl.models import moving_batch_norms, recompute_batch_norm

from ._rate_schedule import schedule_of
from .cosine_restarts import CosineRestarts


class WeightAveraging(keras.callbacks.Callback):
    """End training with the mean of the trainable weights at the ends of cycles.

    Beside `CosineRestarts` the weights at the end of each cycle count, else those at
    the end of each epoch. At the end of training the mean takes the place of the
    model's weights, and the statistics of BatchNorm layers are computed anew, as those
    of the training belong to other weights. Until then nothing is changed; a training
    that is stopped before the first of them keeps its own.

    Keras has the exponential mean: `use_ema=True` in the optimizer and SwapEMAWeights.

    Args:
        data: what `models.recompute_batch_norm` takes, such as the training dataset;
            needed for a model with BatchNorm layers that train.
        start_epoch: first epoch, from 0, whose end counts.

    Attributes:
        num_averaged: how many times the weights went into the mean.

    Raises:
        ValueError: `start_epoch` is below 0; in `fit`, BatchNorm layers without `data`,
            or no end of an epoch or cycle from `start_epoch` on.

    Reference:
        Izmailov et al., 2018, https://arxiv.org/abs/1803.05407, algorithm 1.

    Example:
        ```
        model.fit(data.train, callbacks=[kd.callbacks.WeightAveraging(data.train)])
        ```
    """

    def __init__(self, data: Any = None, start_epoch: int = 0) -> None:
        super().__init__()
        check_non_negative_int("start_epoch", start_epoch)
        self.data = data
        self.start_epoch = start_epoch
        self.num_averaged = 0
        self._means: list[np.ndarray] = []
        self._goes_on = False

    def get_state(self) -> dict[str, Any]:
        """What a new process needs to go on; arrays among it."""
        means = {f"mean_{i}": mean for i, mean in enumerate(self._means)}
        return {"num_averaged": self.num_averaged, **means}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on where `get_state` gave `state`."""
        self.num_averaged = state["num_averaged"]
        self._means = [state[f"mean_{i}"] for i in range(len(state) - 1)]
        self._goes_on = True

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        if self.data is None and moving_batch_norms(self.model):
            raise ValueError(
                "`data` must be given for a model with BatchNorm layers that train. "
                "Received: data=None. Pass the training dataset."
            )

        if not self._goes_on:
            self._means = []
        self._goes_on = False

    def on_epoch_begin(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._means:
            return
        epochs = self.params["epochs"]
        to_come = range(max(self.start_epoch, epoch), epochs)
        if not any(self._counts(other, other - epoch) for other in to_come):
            raise ValueError(
                "`start_epoch` must have an end of an epoch after it, and of a cycle "
                "with CosineRestarts. Received: "
                f"start_epoch={self.start_epoch} (epochs={epochs})"
            )

    def on_epoch_end(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if not self._counts(epoch, -1):
            return
        weights = [variable.numpy() for variable in self.model.trainable_variables]
        if not self._means:
            self.num_averaged = 0
            self._means = [np.zeros_like(weight) for weight in weights]
        self.num_averaged += 1
        for mean, weight in zip(self._means, weights, strict=True):
            mean += (weight - mean) / self.num_averaged

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        if not self._means:
            return
        variables = self.model.trainable_variables
        for variable, mean in zip(variables, self._means, strict=True):
            variable.assign(mean)
        self._means = []
        if moving_batch_norms(self.model):
            recompute_batch_norm(self.model, self.data)

    def _counts(self, epoch: int, ahead: int) -> bool:
        """Whether the weights after `epoch`, begun `ahead` epochs from now, count."""
        if epoch < self.start_epoch:
            return False
        schedule = schedule_of(self)
        if not isinstance(schedule, CosineRestarts):
            return True
        return schedule.finished_cycle(schedule.epochs_done + ahead + 1) is not None
