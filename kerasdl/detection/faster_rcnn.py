"""Faster R-CNN: a network proposes boxes, a second one looks into each."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import initializers, layers, ops

from kerasdl._checks import check_positive_int
from kerasdl._seeds import Seeds

from .anchors import RATIOS, decode, level_anchors
from .heads import PRIOR, detector, last, raw_model, rows_of, tower
from .losses import AnchorLoss
from .pyramid import (
    FILTERS,
    STRIDES,
    prior_bias,
    pyramid,
    separable_layer,
)
from .roi_align import roi_align
from .suppression import suppressed

PROPOSALS = 100
UNITS = 256
_SCALES = (8.0,)  # of anchors, in strides
_GRID = 7  # squares of a side that are looked at in a box
_USUAL = 224.0  # pixels a side that the level of stride 16 is for: FPN, equation 1
_CODES = np.array([0.1, 0.1, 0.2, 0.2], "float32")  # spread of codes
_CANDIDATES = 600


def faster_rcnn(
    trunk: keras.Model,
    classes: int,
    strides: Sequence[int] = STRIDES,
    filters: int = FILTERS,
    proposals: int = PROPOSALS,
    units: int = UNITS,
    *,
    seed: int | None = None,
) -> keras.Model:
    """A two-stage detector, to be trained by `TwoStageLoss`.

    Three anchors a place propose boxes; the best, suppressed at an IoU of .7, are
    sampled 7 x 7 from the level of their size, and two dense layers say what they are
    and where exactly. The lesson's sizes are strides of 4 to 64, 256 filters, 1000
    proposals (in training 2000) and 1024 units; the defaults are for two cores.

    Input: as of `fcos`. Output: raw answers, float32 `(batch, proposals + anchors, 8 +
    classes)`: of each proposal the box that it became, itself, and a logit for each
    class; then of each anchor the same with one logit. `with_answers` makes them final.

    Args:
        trunk: of a fixed picture size, as `models.build_trunk` makes it; any size.
        classes: their number.
        strides: of the levels.
        filters: of all maps.
        proposals: that the second stage looks into, at most one for each anchor.
        units: of its dense layers.
        seed: of initial weights; None draws one and prints it.

    Raises:
        ValueError: an argument is none of these.

    Reference:
        Ren et al., 2015, https://arxiv.org/abs/1506.01497; on a pyramid as in
        https://arxiv.org/abs/1612.03144, section 4
    """
    found = two_stages(
        trunk, classes, strides, filters, proposals=proposals, units=units, seed=seed
    )
    return detector(found.inputs, found.raw, "faster_rcnn")


class TwoStages(NamedTuple):
    """What a second look can go on with.

    Attributes:
        inputs: of the model.
        levels: maps of the pyramid, and their strides.
        boxes: what became of the proposals, `(batch, proposals, 4)`.
        raw: answers, as of `faster_rcnn`.
        seeds: of further initial weights.
    """

    inputs: Any
    levels: list[tuple[Any, int]]
    boxes: Any
    raw: Any
    seeds: Seeds


def two_stages(
    trunk: keras.Model,
    classes: int,
    strides: Sequence[int],
    filters: int,
    *,
    proposals: int,
    units: int,
    seed: int | None,
) -> TwoStages:
    """The two stages of `faster_rcnn`."""
    for name, value in (
        ("classes", classes),
        ("filters", filters),
        ("proposals", proposals),
        ("units", units),
    ):
        check_positive_int(name, value)
    seeds = Seeds(seed)
    inputs, maps = pyramid(trunk, strides, filters, seeds=seeds)
    levels = list(zip(maps, strides, strict=True))
    first = _proposing(levels, filters, seeds)
    height, width = trunk.input_shape[1:3]
    limits = np.array([width, height] * 2, "float32")
    inside = ops.minimum(ops.maximum(first["boxes"], 0.0), limits)
    found = suppressed(
        ops.stop_gradient(inside),
        ops.stop_gradient(ops.sigmoid(first["logits"])),
        proposals,
        max(_CANDIDATES, proposals),
        iou_threshold=0.7,
        min_score=0.0,
    )["boxes"]
    if found.shape[1] < proposals:
        raise ValueError(
            f"`proposals` must be at most {found.shape[1]}, the anchors in pictures of "
            f"{height} x {width}. Received: proposals={proposals}"
        )
    x = looked_at(levels, found, _GRID)
    x = ops.reshape(x, (-1, found.shape[1], _GRID * _GRID * filters))
    for number in range(2):
        init = initializers.GlorotUniform(seed=seeds())
        x = layers.Dense(
            units, "relu", kernel_initializer=init, name=f"roi_dense{number}"
        )(x)
    logits = _answer(x, classes, "roi_class", prior_bias(0.1), seeds())
    codes = _answer(x, 4, "roi_box", 0.0, seeds())
    boxes = decode(codes * _CODES, found)
    second = {
        "boxes": [boxes],
        "places": [found],
        "logits": [logits],
    }
    roi = raw_model(inputs, second, "roi").output
    parts = list(first.values())
    if classes > 1:
        parts.append(ops.repeat(ops.zeros_like(parts[-1]), classes - 1, axis=2))
    together = layers.Concatenate(axis=1, name="raw_stages", dtype="float32")
    raw = together([roi, ops.concatenate(parts, axis=2)])
    return TwoStages(inputs, levels, boxes, raw, seeds)


def _proposing(
    levels: Sequence[tuple[Any, int]], filters: int, seeds: Seeds
) -> dict[str, Any]:
    """Boxes, anchors and logits of all anchors."""
    shared = [separable_layer(filters, "rpn0", seeds)]
    logit = last(len(RATIOS), "rpn_class", prior_bias(PRIOR), seeds())
    code = last(len(RATIOS) * 4, "rpn_box", 0.0, seeds())
    parts: dict[str, list[Any]] = {"boxes": [], "places": [], "logits": []}
    for x, stride in levels:
        x = tower(x, shared, f"rpn_level{stride}")
        codes = rows_of(code(x), 4)
        anchors = level_anchors(x.shape[1], x.shape[2], stride, _SCALES)[None]
        parts["boxes"].append(decode(codes, anchors))
        parts["places"].append(ops.zeros_like(codes) + anchors)
        parts["logits"].append(rows_of(logit(x), 1))
    return {
        part: layers.Concatenate(axis=1, name=f"rpn_{part}", dtype="float32")(own)
        for part, own in parts.items()
    }


def looked_at(levels: Sequence[tuple[Any, int]], boxes: Any, size: int) -> Any:
    """What lies in boxes, `size` x `size`, each from the level of its size."""
    sides = ops.sqrt(
        ops.maximum(ops.prod(boxes[..., 2:] - boxes[..., :2], axis=-1), 1.0)
    )
    # The level of stride 16 has boxes of 112 to 224 pixels; the ends take the rest.
    wanted = ops.floor(ops.log(sides / _USUAL) / float(np.log(2.0)) + 1.0)
    wanted = ops.clip(
        wanted + float(np.log2(16 / levels[0][1])), 0.0, float(len(levels) - 1)
    )
    found = 0.0
    for number, (x, stride) in enumerate(levels):
        x = roi_align(ops.cast(x, "float32"), boxes, size, float(stride))
        own = ops.cast(ops.equal(wanted, float(number)), "float32")
        found = found + x * ops.reshape(own, (-1, boxes.shape[1], 1, 1, 1))
    return found


def _answer(x: Any, units: int, name: str, bias: float, seed: int) -> Any:
    """A dense layer that says, to begin with, its bias; float32."""
    return layers.Dense(
        units,
        kernel_initializer=initializers.RandomNormal(stddev=0.01, seed=seed),
        bias_initializer=initializers.Constant(bias),
        name=name,
        dtype="float32",
    )(x)


@keras.saving.register_keras_serializable("kerasdl")
class TwoStageLoss(keras.losses.Loss):
    """`AnchorLoss` of the proposals, of any class, and of what became of them.

    Args:
        proposals: rows of the raw answers that are of the second stage.

    Reference:
        Ren et al., 2015, https://arxiv.org/abs/1506.01497, section 3.1.2
    """

    def __init__(
        self,
        proposals: int = PROPOSALS,
        reduction: str = "sum_over_batch_size",
        name: str = "two_stage_loss",
        dtype: Any = "float32",
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.proposals = proposals
        self._first = AnchorLoss(low=0.3, high=0.7)
        self._second = AnchorLoss(alpha=0.5, gamma=1.0, low=0.5, high=0.5)

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: D102
        second, first = y_pred[:, : self.proposals], y_pred[:, self.proposals :]
        labels = ops.minimum(y_true[..., 4:5], 0.0)
        of_any = ops.concatenate([y_true[..., :4], labels, y_true[..., 5:6]], axis=2)
        proposed = self._first.call(of_any, first[..., :9])
        return proposed + self._second.call(y_true, second)

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {**super().get_config(), "proposals": self.proposals}
