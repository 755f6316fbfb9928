"""F-beta of several labels an image, also as the mean over images."""

from typing import Any

import keras
from keras import ops

from kerasdl._checks import check_one_of


# So that a model compiled with it can be cloned or loaded with its metrics.
@keras.saving.register_keras_serializable(package="kerasdl")
class FBeta(keras.metrics.FBetaScore):
    """F-beta of labels whose probability is above a threshold.

    F = (1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP), 0 where all are 0. "macro"
    and "micro" are Keras's own FBetaScore; "samples" is the mean of each image's F over
    its labels, which Kaggle's contests call mean F2, and which Keras lacks.

    Labels and probabilities are `(batch, classes)`, labels 0 or 1.

    Args:
        beta: weight of recall against precision, above 0.
        average: "samples" (mean over images), "macro" (over classes) or "micro" (all
            labels in one pool).
        threshold: in (0, 1]; a probability above it is a predicted label.
        name: of the metric.
        dtype: of its state and result.

    Raises:
        ValueError: an argument outside its range.

    Example:
        ```
        f2 = kd.classification.FBeta(beta=2)
        f2.update_state([[1, 0], [1, 1]], [[0.9, 0.2], [0.7, 0.4]])
        float(f2.result())
        ```
    """

    def __init__(
        self,
        beta: float = 2.0,
        average: str = "samples",
        threshold: float = 0.5,
        name: str = "fbeta",
        dtype: Any = None,
    ) -> None:
        check_one_of("average", average, ("samples", "macro", "micro"))
        is_samples = average == "samples"
        super().__init__(
            average=None if is_samples else average,
            beta=float(beta),
            threshold=float(threshold),
            name=name,
            dtype=dtype,
        )
        self.average = average
        if is_samples:
            self.total = self.add_variable((), "zeros", name="total")
            self.count = self.add_variable((), "zeros", name="count")

    def update_state(  # noqa: D102 (Keras's)
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        if self.average != "samples":
            super().update_state(y_true, y_pred, sample_weight)
            return
        y_true = ops.cast(y_true, self.dtype)
        predicted = ops.cast(ops.cast(y_pred, self.dtype) > self.threshold, self.dtype)
        hits = ops.sum(y_true * predicted, axis=1)
        recall_weight = self.beta**2
        # Of TP + FN and TP + FP, as in the formula above.
        size = recall_weight * ops.sum(y_true, axis=1) + ops.sum(predicted, axis=1)
        scores = ops.divide_no_nan((1 + recall_weight) * hits, size)
        weights = ops.ones_like(scores)
        if sample_weight is not None:
            weights = ops.reshape(ops.cast(sample_weight, self.dtype), (-1,))
        self.total.assign_add(ops.sum(weights * scores))
        self.count.assign_add(ops.sum(weights))

    def result(self) -> Any:  # noqa: D102 (Keras's)
        if self.average != "samples":
            return super().result()
        return ops.divide_no_nan(self.total, self.count)
