"""Losses of detectors: plain Keras losses of (boxes with labels, raw answers)."""

from typing import Any

import keras
from keras import ops

from .anchors import assign_anchors
from .assignment import assign_points, in_any
from .boxes import iou_and_giou


@keras.saving.register_keras_serializable("kerasdl")
class PointLoss(keras.losses.Loss):
    """Quality focal loss of the classes and GIoU of the boxes, of `fcos`.

    Takes boxes `(batch, n, 6)`: x1 y1 x2 y2, the number of the class, below 0 for none,
    and 1 of those to ignore, as `BoxData` gives them; and raw answers `(batch, places,
    8 + classes)`. A place that answers for an object shall score the IoU that its box
    has; others shall score 0, but those in ignored boxes, and those next to an object
    that is too small for them, which count nothing. The sum over a photo is divided by
    the number of places that answer, so that photos count alike, on however many
    devices.

    Args:
        gamma: how much less what is nearly right counts.
        box_weight: of GIoU.

    Reference:
        Li et al., 2020, https://arxiv.org/abs/2006.04388, equation 2
    """

    def __init__(
        self,
        gamma: float = 2.0,
        box_weight: float = 2.0,
        reduction: str = "sum_over_batch_size",
        name: str = "point_loss",
        dtype: Any = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.gamma, self.box_weight = gamma, box_weight

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        boxes, labels, ignored = y_true[..., :4], y_true[..., 4], y_true[..., 5] > 0
        found, places, logits = y_pred[..., :4], y_pred[..., 4:8], y_pred[..., 8:]
        objects = ops.where(ignored, -1.0, labels)
        number, answers, is_next = assign_points(places, boxes, objects)
        answers = ops.cast(answers, "float32")
        index = ops.repeat(ops.expand_dims(number, 2), 4, axis=2)
        iou, giou = iou_and_giou(found, ops.take_along_axis(boxes, index, axis=1))
        count = ops.maximum(ops.sum(answers, axis=1), 1.0)

        quality = ops.stop_gradient(iou) * answers
        label = ops.cast(ops.take_along_axis(objects, number, axis=1), "int32")
        target = ops.one_hot(label, logits.shape[-1]) * ops.expand_dims(quality, 2)
        scores = ops.sigmoid(logits)
        focal = ops.abs(target - scores) ** self.gamma * crossed(target, logits)
        is_blank = is_next | in_any(places, boxes, ignored & (labels >= 0))
        counts = ops.maximum(1.0 - ops.cast(is_blank, "float32"), answers)
        of_classes = ops.sum(focal * ops.expand_dims(counts, 2), axis=(1, 2)) / count
        of_boxes = ops.sum((1.0 - giou) * answers, axis=1) / count
        return of_classes + self.box_weight * of_boxes

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        own = {"gamma": self.gamma, "box_weight": self.box_weight}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("kerasdl")
class AnchorLoss(keras.losses.Loss):
    """Focal loss of the classes and GIoU of the boxes, of `retinanet` and `ssd_lite`.

    Takes what `PointLoss` takes, anchors as places. An anchor that answers for an
    object shall score 1 for its class, one whose IoU is between counts nothing. The sum
    over a photo is divided by the number of anchors that answer.

    Args:
        alpha: weight of what shall score 1, beside 1 - alpha.
        gamma: how much less what is nearly right counts.
        box_weight: of GIoU.
        low: IoU below which an anchor shall find nothing.
        high: IoU from which on it answers.

    Reference:
        Lin et al., 2017, https://arxiv.org/abs/1708.02002, section 3.2
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        box_weight: float = 1.0,
        low: float = 0.4,
        high: float = 0.5,
        reduction: str = "sum_over_batch_size",
        name: str = "anchor_loss",
        dtype: Any = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha, self.gamma, self.box_weight = alpha, gamma, box_weight
        self.low, self.high = low, high

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        boxes, labels, ignored = y_true[..., :4], y_true[..., 4], y_true[..., 5] > 0
        found, places, logits = y_pred[..., :4], y_pred[..., 4:8], y_pred[..., 8:]
        objects = ops.where(ignored, -1.0, labels)
        number, answers, is_between = assign_anchors(
            places, boxes, objects, self.low, self.high
        )
        is_blank = is_between | in_any(places, boxes, ignored & (labels >= 0))
        answers = ops.cast(answers, "float32")
        counts = ops.maximum(1.0 - ops.cast(is_blank, "float32"), answers)
        count = ops.maximum(ops.sum(answers, axis=1), 1.0)

        label = ops.cast(ops.take_along_axis(objects, number, axis=1), "int32")
        target = ops.one_hot(label, logits.shape[-1]) * ops.expand_dims(answers, 2)
        scores = ops.sigmoid(logits)
        weight = target * self.alpha + (1.0 - target) * (1.0 - self.alpha)
        focal = weight * ops.abs(target - scores) ** self.gamma
        focal = focal * crossed(target, logits) * ops.expand_dims(counts, 2)
        of_classes = ops.sum(focal, axis=(1, 2)) / count
        index = ops.repeat(ops.expand_dims(number, 2), 4, axis=2)
        _, giou = iou_and_giou(found, ops.take_along_axis(boxes, index, axis=1))
        of_boxes = ops.sum((1.0 - giou) * answers, axis=1) / count
        return of_classes + self.box_weight * of_boxes

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        names = ("alpha", "gamma", "box_weight", "low", "high")
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own}


def crossed(target: Any, logits: Any) -> Any:
    """Binary cross-entropy of logits, place by place."""
    return ops.relu(logits) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))
