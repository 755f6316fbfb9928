"""Cosine annealing with warm restarts (SGDR)."""

import keras

from kerasdl._checks import check_positive_int
from kerasdl.schedules import cosine_restarts, cycle_at

from ._rate_schedule import RateSchedule


class CosineRestarts(RateSchedule):
    """Cosine over `cycle_len` epochs, then restart; each cycle `cycle_mult` as long.

    At batch k of a cycle of n batches the rate is `min + (max - min) / 2 * (1 + cos(pi
    k / n))`, max being the compiled rate. What holds for every schedule is said at
    `RateSchedule`.

    Args:
        cycle_len: epochs of the first cycle.
        cycle_mult: each cycle is so many times longer than the one before.
        min_learning_rate: what the rate falls to, at least 0.
        warm_up_steps: batches at the start of the first cycle over which the rate rises
            in equal steps to the curve.
        optimizer: as in `RateSchedule`.

    Raises:
        ValueError: an argument outside its range; in `fit`, also a compiled rate below
            `min_learning_rate`, and what `RateSchedule` names.

    Reference:
        Loshchilov & Hutter, 2017, https://arxiv.org/abs/1608.03983; fast.ai, lesson 1.

    Example:
        ```
        restarts = kd.callbacks.CosineRestarts(cycle_len=1, cycle_mult=2)
        model.fit(data.train, epochs=3, callbacks=[restarts])
        ```
    """

    def __init__(
        self,
        cycle_len: int = 1,
        cycle_mult: int = 1,
        min_learning_rate: float = 0.0,
        *,
        warm_up_steps: int = 0,
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> None:
        super().__init__(warm_up_steps, optimizer=optimizer)
        check_positive_int("cycle_len", cycle_len)
        check_positive_int("cycle_mult", cycle_mult)
        if min_learning_rate < 0:
            raise ValueError(
                "`min_learning_rate` must be at least 0. Received: "
                f"min_learning_rate={min_learning_rate!r}"
            )
        self.cycle_len = cycle_len
        self.cycle_mult = cycle_mult
        self.min_learning_rate = min_learning_rate

    def on_train_begin(self, logs: dict | None = None) -> None:  # noqa: D102
        super().on_train_begin(logs)
        if self._max_rate < self.min_learning_rate:
            raise ValueError(
                "`min_learning_rate` must not be above the optimizer's rate. Received: "
                f"min_learning_rate={self.min_learning_rate!r} "
                f"(learning_rate={self._max_rate:g})"
            )

    def rate(self, step: int, max_rate: float) -> float:  # noqa: D102
        fraction = cosine_restarts(
            step, self.cycle_len * self.steps_per_epoch, self.cycle_mult
        )
        return self.min_learning_rate + (max_rate - self.min_learning_rate) * fraction

    def finished_cycle(self, epochs: int) -> int | None:
        """Number, from 1, of the cycle that `epochs` epochs end, or None."""
        cycle, place, _ = cycle_at(epochs, self.cycle_len, self.cycle_mult)
        return cycle if place == 0 and epochs else None
