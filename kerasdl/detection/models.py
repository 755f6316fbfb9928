"""The detectors by name: what builds each, and what trains it."""

from collections.abc import Callable
from typing import NamedTuple

import keras

from .anchor_models import retinanet, ssd_lite
from .faster_rcnn import TwoStageLoss, faster_rcnn
from .fcos import fcos
from .losses import AnchorLoss, PointLoss
from .mask_loss import MaskLoss
from .mask_rcnn import MaskRCNNLoss, mask_rcnn


class DetectorKind(NamedTuple):
    """A kind of detector.

    Attributes:
        build: takes a trunk, the number of classes and `seed`.
        loss: makes the loss of its raw answers; None if it gives masks in any case.
        masks: makes the loss, of the size of masks, where it gives masks as well.
        takes_strides: whether its finest level is chosen by the boxes.
        cost: of a training step, in those of `fcos` without masks.
        mask_cost: of one with masks.
    """

    build: Callable[..., keras.Model]
    loss: Callable[[], keras.losses.Loss] | None
    masks: Callable[..., keras.losses.Loss] | None = None
    takes_strides: bool = True
    cost: float = 1.0
    mask_cost: float = 1.0


MODELS = {
    "fcos": DetectorKind(fcos, PointLoss, MaskLoss, mask_cost=1.4),
    # Its anchors of 32 pixels at a stride of 8 do; at 4 there are too many to compare.
    "retinanet": DetectorKind(retinanet, AnchorLoss, takes_strides=False),
    "ssd_lite": DetectorKind(ssd_lite, AnchorLoss, takes_strides=False),
    "faster_rcnn": DetectorKind(faster_rcnn, TwoStageLoss, cost=1.2),
    "mask_rcnn": DetectorKind(mask_rcnn, None, MaskRCNNLoss, mask_cost=2.3),
}
