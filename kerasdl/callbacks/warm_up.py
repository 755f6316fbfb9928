"""A learning rate that rises to the compiled one and stays there."""

from ._rate_schedule import RateSchedule


class WarmUp(RateSchedule):
    """Raise the rate in equal steps from `1 / warm_up_steps` of it to the compiled one.

    The other schedules have the same rise as an argument. What holds for every schedule
    is said at `RateSchedule`.

    Args:
        warm_up_steps: batches of the rise; the last of them has the compiled rate.
        optimizer: as in `RateSchedule`.

    Raises:
        ValueError: an argument outside its range; in `fit`, what `RateSchedule` names.

    Reference:
        Goyal et al., 2017, https://arxiv.org/abs/1706.02677, section 2.2.
    """

    def rate(self, step: int, max_rate: float) -> float:  # noqa: D102
        return max_rate
