"""Mask R-CNN: Faster R-CNN whose second stage gives a mask of each proposal."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers, layers, ops

from ._packed import packed, unpacked
from .boxes import pairwise_iou
from .faster_rcnn import PROPOSALS, UNITS, TwoStageLoss, looked_at, two_stages
from .heads import detector
from .mask_loss import mask_costs
from .masks import STRIDE
from .pyramid import FILTERS, STRIDES, separable
from .roi_align import cropped_masks

ROI_MASKS = "roi_masks"
SIDE = 28  # squares of a side of a mask
_GRID = SIDE // 2
_LOW = 0.5  # IoU with an object from which on a proposal has a mask


def mask_rcnn(
    trunk: keras.Model,
    classes: int,
    strides: Sequence[int] = STRIDES,
    filters: int = FILTERS,
    proposals: int = PROPOSALS,
    units: int = UNITS,
    *,
    seed: int | None = None,
) -> keras.Model:
    """`faster_rcnn` with a mask head, to be trained by `MaskRCNNLoss`.

    What lies in the box that a proposal became, 14 x 14 of maps that a 1x1 convolution
    makes a third as deep, goes through two separable convolutions and one that doubles
    its side; one mask of 28 x 28 whatever the class. (On a processor the paper's four
    convolutions of 256 filters would take most of a step.) In the raw answers masks
    stand in rows below; `with_answers` puts them into the picture.

    Args:
        trunk: as in `faster_rcnn`, and so are the others.
        classes: see there.
        strides: see there.
        filters: see there.
        proposals: see there.
        units: see there.
        seed: see there.

    Raises:
        ValueError: an argument is none of these.

    Reference:
        He et al., 2017, https://arxiv.org/abs/1703.06870, section 3
    """
    found = two_stages(
        trunk, classes, strides, filters, proposals=proposals, units=units, seed=seed
    )
    count = found.boxes.shape[1]
    width = max(filters // 3, 1)
    init = initializers.GlorotUniform(seed=found.seeds())
    narrow = layers.Conv2D(width, 1, kernel_initializer=init, name="mask_narrow")
    levels = [(narrow(x), stride) for x, stride in found.levels]
    x = looked_at(levels, ops.stop_gradient(found.boxes), _GRID)
    x = ops.reshape(x, (-1, _GRID, _GRID, width))
    for number in range(2):
        x = separable(x, width, f"mask{number}", found.seeds)
    x = layers.UpSampling2D(interpolation="bilinear", name="mask_up")(x)
    x = separable(x, width, "mask2", found.seeds)
    init = initializers.RandomNormal(stddev=0.01, seed=found.seeds())
    x = layers.Conv2D(1, 1, kernel_initializer=init, name="mask_last")(x)
    masks = layers.Reshape((SIDE * SIDE,), dtype="float32")(x)
    masks = ops.reshape(masks, (-1, count, SIDE * SIDE))
    masks = layers.Activation("linear", name=ROI_MASKS, dtype="float32")(masks)
    return detector(found.inputs, packed(found.raw, masks), "mask_rcnn")


@keras.saving.register_keras_serializable("kerasdl")
class MaskRCNNLoss(TwoStageLoss):
    """`TwoStageLoss`, and cross-entropy and Dice of the masks of `mask_rcnn`.

    Takes boxes with masks, as `BoxData` gives them with `masks=True`. A proposal whose
    box has an IoU of .5 or more with an object shall give what the box shows of the
    mask of the object that it has most in common with.

    Args:
        mask_size: (rows, columns) of a true mask, `masks.mask_size` of the picture's.
        mask_weight: of the masks.
        proposals: as in `TwoStageLoss`.
    """

    def __init__(
        self,
        mask_size: tuple[int, int],
        mask_weight: float = 2.0,
        proposals: int = PROPOSALS,
        reduction: str = "sum_over_batch_size",
        name: str = "mask_rcnn_loss",
        dtype: Any = "float32",
    ) -> None:
        super().__init__(proposals, reduction, name, dtype)
        self.mask_size, self.mask_weight = tuple(mask_size), mask_weight

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        count, values = self.proposals, SIDE * SIDE
        raw, found = unpacked(y_pred, (count, values))
        boxes, labels, ignored = y_true[..., :4], y_true[..., 4], y_true[..., 5] > 0
        objects = ops.where(ignored, -1.0, labels)
        places = ops.stop_gradient(raw[:, :count, :4])
        overlaps = pairwise_iou(places, boxes)
        overlaps = ops.where(ops.expand_dims(objects >= 0, 1), overlaps, -1.0)
        # Not as anchors are: what shows little of an object has no mask of it.
        number, counts = ops.argmax(overlaps, axis=2), ops.max(overlaps, axis=2) >= _LOW
        counts = ops.cast(counts, "float32")
        # First the mask of each place, then what lies in it: all masks in all places
        # would take gigabytes.
        own = ops.one_hot(number, y_true.shape[1])
        true = ops.reshape(
            ops.matmul(own, y_true[..., 6:]), (-1, count, *self.mask_size)
        )
        target = cropped_masks(true, places, SIDE, float(STRIDE))
        target = ops.reshape(target, (-1, count, values))
        each = mask_costs(target, found, ops.ones_like(found)) * counts
        of_masks = ops.sum(each, axis=1) / ops.maximum(ops.sum(counts, axis=1), 1.0)
        return super().call(y_true[..., :6], raw) + self.mask_weight * of_masks

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        own = {"mask_size": self.mask_size, "mask_weight": self.mask_weight}
        return {**super().get_config(), **own}
