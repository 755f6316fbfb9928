"""The loss of a detector with prototypes: boxes as ever, and masks."""

from typing import Any

import keras
from keras import ops

from ._packed import unpacked
from .assignment import assign_points
from .losses import PointLoss, crossed
from .prototypes import COUNT, mask_logits, within

_LEARNT = 32  # places of a picture whose masks are compared


@keras.saving.register_keras_serializable("kerasdl")
class MaskLoss(PointLoss):
    """`PointLoss`, and cross-entropy and Dice of masks, of `fcos(..., masks=True)`.

    Takes boxes `(batch, n, 6 + rows * columns)`, each with its mask, as `BoxData` gives
    them with `masks=True`. A place that answers for an object shall give its mask
    within its true box; of a picture those 32 count whose boxes are best.

    Args:
        mask_size: (rows, columns) of a mask, `masks.mask_size` of the picture's size.
        mask_weight: of the masks.
        gamma: as in `PointLoss`.
        box_weight: as in `PointLoss`.

    Reference:
        Bolya et al., 2019, https://arxiv.org/abs/1904.02689, section 3.2
    """

    def __init__(
        self,
        mask_size: tuple[int, int],
        mask_weight: float = 2.0,
        gamma: float = 2.0,
        box_weight: float = 2.0,
        reduction: str = "sum_over_batch_size",
        name: str = "mask_loss",
        dtype: Any = "float32",
    ) -> None:
        super().__init__(gamma, box_weight, reduction, name, dtype)
        rows, columns = mask_size
        self.mask_size, self.mask_weight = (rows, columns), mask_weight

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        values = self.mask_size[0] * self.mask_size[1]
        raw, maps = unpacked(y_pred, (values, COUNT))
        known, coefficients = raw[..., :-COUNT], raw[..., -COUNT:]
        return super().call(y_true[..., :6], known) + self.mask_weight * self._of_masks(
            y_true, known, coefficients, maps
        )

    def _of_masks(self, y_true: Any, raw: Any, coefficients: Any, maps: Any) -> Any:
        boxes, labels, ignored = y_true[..., :4], y_true[..., 4], y_true[..., 5] > 0
        objects = ops.where(ignored, -1.0, labels)
        number, answers, _ = assign_points(raw[..., 4:8], boxes, objects)
        # The surest: places of an object are alike, and memory has an end.
        surest = ops.max(raw[..., 8:], axis=2)
        ranked = ops.where(answers, surest + 1e6, surest)
        count = min(_LEARNT, ranked.shape[1])
        _, places = ops.top_k(ops.stop_gradient(ranked), count)
        counts = ops.cast(ops.take_along_axis(answers, places, axis=1), "float32")
        number = ops.take_along_axis(number, places, axis=1)
        found = mask_logits(rows_at(coefficients, places, COUNT), maps)

        true = y_true[..., 6:]
        width = self.mask_size[0] * self.mask_size[1]
        target = rows_at(true, number, width)
        inside = within(rows_at(boxes, number, 4), self.mask_size)
        inside = ops.reshape(inside, (-1, count, width))
        each = mask_costs(target, found, inside) * counts
        return ops.sum(each, axis=1) / ops.maximum(ops.sum(counts, axis=1), 1.0)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        own = {"mask_size": self.mask_size, "mask_weight": self.mask_weight}
        return {**super().get_config(), **own}


def mask_costs(target: Any, logits: Any, inside: Any) -> Any:
    """Cross-entropy and Dice of each mask, `(batch, n)`.

    Args:
        target: shares in [0, 1], `(batch, n, values)`.
        logits: of the same shape.
        inside: 1 where it counts.
    """
    area = ops.maximum(ops.sum(inside, axis=2), 1.0)
    each = ops.sum(crossed(target, logits) * inside, axis=2) / area
    shown, target = ops.sigmoid(logits) * inside, target * inside
    common = 2 * ops.sum(shown * target, axis=2) + 1.0
    total = ops.sum(shown**2, axis=2) + ops.sum(target**2, axis=2) + 1.0
    return each + 1.0 - common / total


def rows_at(values: Any, index: Any, width: int) -> Any:
    """Rows of `(batch, n, width)` at `(batch, k)`."""
    index = ops.repeat(ops.expand_dims(index, 2), width, axis=2)
    return ops.take_along_axis(values, index, axis=1)
