"""The detectors by name: what builds each, and what trains it."""

from collections.abc import Callable
from typing import NamedTuple

import keras

from .anchor_models import retinanet, ssd_lite
from .faster_rcnn import TwoStageLoss, faster_rcnn
from .fcos import fcos
from .losses import AnchorLoss, PointLoss


class DetectorKind(NamedTuple):
    """A kind of detector.

    Attributes:
        build: takes a trunk, the number of classes and `seed`.
        loss: makes the loss of its raw answers.
        takes_strides: whether its finest level is chosen by the boxes.
    """

    build: Callable[..., keras.Model]
    loss: Callable[[], keras.losses.Loss]
    takes_strides: bool = True


MODELS = {
    "fcos": DetectorKind(fcos, PointLoss),
    "retinanet": DetectorKind(retinanet, AnchorLoss),
    "ssd_lite": DetectorKind(ssd_lite, AnchorLoss, takes_strides=False),
    "faster_rcnn": DetectorKind(faster_rcnn, TwoStageLoss),
}
