"""A loss of answers whose error counts as a share."""

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasdl")
class MeanSquaredRelativeError(keras.losses.Loss):
    """The square of `exp_rmspe`, for a target on the scale "log".

    Where it is least lies below the mean of the logarithms, the more so the less
    certain a row is; the mean squared error of logarithms does not know that.

    Args:
        spread: of the target, by whose logarithm's standard deviation a network's
            outputs are divided.
        steepest: how far an answer's logarithm may lie above the truth's before the
            exponential goes on as a line: else a row of hardly any sales, or the first
            steps, would be the whole loss. 0.4 is an error of 49 %.

    Raises:
        ValueError: `spread` or `steepest` is not above 0.

    Reference:
        the measure of https://www.kaggle.com/competitions/rossmann-store-sales
    """

    def __init__(
        self,
        spread: float = 1.0,
        steepest: float = 0.4,
        reduction: str = "sum_over_batch_size",
        name: str = "mean_squared_relative_error",
        dtype: Any = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        for argument, value in (("spread", spread), ("steepest", steepest)):
            if not value > 0:
                raise ValueError(
                    f"`{argument}` must be above 0. Received: {argument}={value!r}"
                )
        self.spread, self.steepest = spread, steepest

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Losses `(n,)` of truths and answers `(n, 1)`, on the target's scale."""
        above = self.spread * (y_pred - y_true)
        curved = ops.minimum(above, self.steepest)
        line = math.exp(self.steepest) * (above - curved)
        return ops.mean(ops.square(ops.expm1(curved) + line), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        config = super().get_config()
        return config | {"spread": self.spread, "steepest": self.steepest}
