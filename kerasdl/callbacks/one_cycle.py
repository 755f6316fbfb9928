"""One rise and one fall of the learning rate, the momentum against it."""

from collections.abc import Mapping
from typing import Any

import keras

from kerasdl._checks import check_positive_int
from kerasdl.schedules import one_cycle

from ._momentum import VariableMomentum
from ._rate_schedule import RateSchedule


class OneCycle(RateSchedule):
    """Raise the rate to the compiled one and lower it again, once; then a tail.

    The momentum (Adam's `beta_1`) falls while the rate rises, and rises while it falls.
    After the cycle the rate stays at its end. What holds for every schedule is said at
    `RateSchedule`; an interrupted training leaves the momentum, too, as it was.

    Args:
        cycle_len: epochs of the cycle; None takes all of the `fit`.
        start_fraction: fraction of the compiled rate at the start and where the tail
            begins, in (0, 1].
        tail_fraction: share of the cycle that the tail takes, in [0, 1).
        end_fraction: fraction of the compiled rate at the end of the tail, in [0, 1].
        max_momentum: at the start and in the tail, below 1; None leaves the momentum
            alone.
        min_momentum: where the rate is highest, at least 0.
        optimizer: as in `RateSchedule`.

    Raises:
        ValueError: an argument outside its range; in `fit`, also an optimizer without
            momentum, other epochs than a resumed cycle without `cycle_len` was begun
            with, and what `RateSchedule` names.

    Reference:
        Smith, 2018, https://arxiv.org/abs/1803.09820; the defaults are fast.ai's
        `use_clr_beta=(10, 10, 0.95, 0.85)`.

    Example:
        ```
        learn.fit(1e-2, cycle_len=2, callbacks=[kd.callbacks.OneCycle()])
        ```
    """

    def __init__(
        self,
        cycle_len: int | None = None,
        start_fraction: float = 0.1,
        tail_fraction: float = 0.1,
        end_fraction: float = 0.001,
        max_momentum: float | None = 0.95,
        min_momentum: float = 0.85,
        *,
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> None:
        super().__init__(optimizer=optimizer)
        if cycle_len is not None:
            check_positive_int("cycle_len", cycle_len)
        if not 0 < start_fraction <= 1:
            raise ValueError(
                "`start_fraction` must be above 0 and at most 1. Received: "
                f"start_fraction={start_fraction!r}"
            )
        if not 0 <= tail_fraction < 1:
            raise ValueError(
                "`tail_fraction` must be at least 0 and below 1. Received: "
                f"tail_fraction={tail_fraction!r}"
            )
        if not 0 <= end_fraction <= 1:
            raise ValueError(
                "`end_fraction` must be in [0, 1]. Received: "
                f"end_fraction={end_fraction!r}"
            )
        if max_momentum is not None and not 0 <= min_momentum <= max_momentum < 1:
            raise ValueError(
                "`min_momentum` and `max_momentum` must be in [0, 1), in this order. "
                f"Received: min_momentum={min_momentum!r}, "
                f"max_momentum={max_momentum!r}"
            )
        self.cycle_len = cycle_len
        self.start_fraction = start_fraction
        self.tail_fraction = tail_fraction
        self.end_fraction = end_fraction
        self.max_momentum = max_momentum
        self.min_momentum = min_momentum
        self.momentums: list[float] = []

    def begin_anew(self) -> None:  # noqa: D102
        super().begin_anew()
        self._epochs = 0  # until the first begins
        self._begun_with: int | None = None  # in another process

    def get_state(self) -> dict[str, Any]:  # noqa: D102
        more = {"epochs": self._epochs, "momentums": list(self.momentums)}
        return super().get_state() | more

    def set_state(self, state: Mapping[str, Any]) -> None:  # noqa: D102
        super().set_state(state)
        self._epochs = self._begun_with = state["epochs"]
        self.momentums = list(state["momentums"])

    def on_train_begin(self, logs: dict | None = None) -> None:  # noqa: D102
        super().on_train_begin(logs)
        if self.max_momentum is not None:
            self._momentum = VariableMomentum(self.model, self._sets)

    def on_epoch_begin(  # noqa: D102
        self, epoch: int, logs: dict | None = None
    ) -> None:
        if self.cycle_len is None and self._begun_with not in (
            None,
            self.params["epochs"],
        ):
            raise ValueError(
                "`epochs` must be those that the cycle was begun with, as it takes all "
                f"of them. Received: epochs={self.params['epochs']} (recorded: "
                f"{self._begun_with}). Repeat them, or give OneCycle a `cycle_len`."
            )
        if not self._epochs:  # `epoch` is the first of this `fit`
            self._epochs = self.cycle_len or self.params["epochs"] - epoch
            self.momentums = []

    def on_train_batch_begin(  # noqa: D102
        self, batch: int, logs: dict | None = None
    ) -> None:
        super().on_train_batch_begin(batch, logs)
        if self.max_momentum is not None:
            height = self.max_momentum - self.min_momentum
            momentum = self.min_momentum + height * self._at(self.step)[1]
            self._momentum.assign(momentum)
            self.momentums.append(momentum)

    def on_train_end(self, logs: dict | None = None) -> None:  # noqa: D102
        super().on_train_end(logs)
        if self.max_momentum is not None:
            self._momentum.put_back()

    def rate(self, step: int, max_rate: float) -> float:  # noqa: D102
        return max_rate * self._at(step)[0]

    def _at(self, step: int) -> tuple[float, float]:
        return one_cycle(
            step,
            cycle_steps=self._epochs * self.steps_per_epoch,
            start_fraction=self.start_fraction,
            tail_fraction=self.tail_fraction,
            end_fraction=self.end_fraction,
        )
