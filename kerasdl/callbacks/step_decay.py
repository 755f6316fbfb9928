"""A constant learning rate that is cut every few epochs."""

import keras

from kerasdl._checks import check_positive_int
from kerasdl.schedules import step_decay

from ._rate_schedule import RateSchedule


class StepDecay(RateSchedule):
    """Multiply the rate by `factor` every `decay_len` epochs.

    What holds for every schedule is said at `RateSchedule`.

    Args:
        decay_len: epochs from one cut to the next.
        factor: in (0, 1].
        warm_up_steps: batches at the start over which the rate rises in equal steps.
        optimizer: as in `RateSchedule`.

    Raises:
        ValueError: an argument outside its range; in `fit`, what `RateSchedule` names.

    Example:
        ```
        model.fit(data.train, epochs=2, callbacks=[kd.callbacks.StepDecay(1, 0.1)])
        ```
    """

    def __init__(
        self,
        decay_len: int = 1,
        factor: float = 0.1,
        *,
        warm_up_steps: int = 0,
        optimizer: keras.optimizers.Optimizer | None = None,
    ) -> None:
        super().__init__(warm_up_steps, optimizer=optimizer)
        check_positive_int("decay_len", decay_len)
        if not 0 < factor <= 1:
            raise ValueError(
                f"`factor` must be above 0 and at most 1. Received: factor={factor!r}"
            )
        self.decay_len = decay_len
        self.factor = factor

    def rate(self, step: int, max_rate: float) -> float:  # noqa: D102
        return max_rate * step_decay(
            step, self.decay_len * self.steps_per_epoch, self.factor
        )
