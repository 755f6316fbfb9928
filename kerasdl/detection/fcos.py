"""FCOS: every point of every level says what is there and how far its sides are."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasdl._checks import check_positive_int
from kerasdl._seeds import Seeds

from ._packed import packed
from .heads import DEPTH, PRIOR, detector, last, raw_model, rows_of, tower
from .prototypes import COEFFICIENTS, COUNT, prototypes
from .pyramid import (
    FILTERS,
    STRIDES,
    prior_bias,
    pyramid,
    separable_layer,
)

_SIDE = 2.0  # strides from a point to a side, to begin with
_SIGNS = np.array([-1, -1, 1, 1], "float32")  # left, top, right, bottom of a point


def fcos(
    trunk: keras.Model,
    classes: int,
    strides: Sequence[int] = STRIDES,
    filters: int = FILTERS,
    *,
    neck: str = "fpn",
    masks: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """A one-stage detector without anchors, to be trained by `PointLoss`.

    Towers of two separable convolutions say classes and distances; their kernels are
    those of all levels, their BatchNorms each level's own. Boxes are float32 whatever
    the policy.

    Input: what `trunk` takes. Output: raw answers, float32 `(batch, places, 8 +
    classes)`: box x1 y1 x2 y2 in pixels, square about the point as wide as the level's
    stride, and a logit for each class. `with_answers` makes them final.

    Args:
        trunk: of a fixed picture size, as `models.build_trunk` makes it; any size.
        classes: their number.
        strides: of the levels; the finest decides how small an object may be. Below
            about half of it one that lies between the points is not found: see
            `assignment.assign_points`.
        filters: of all maps.
        neck: "fpn" or "pan"; see `pyramid`.
        masks: whether places give masks too, as sums of prototypes; `MaskLoss` trains
            that. The finest stride is 4 or 8 then.
        seed: of initial weights; None draws one and prints it.

    Raises:
        ValueError: an argument is none of these.

    Reference:
        Tian et al., 2019, https://arxiv.org/abs/1904.01355; towers as in
        https://arxiv.org/abs/1911.09070, section 3.3
    """
    check_positive_int("classes", classes)
    check_positive_int("filters", filters)
    seeds = Seeds(seed)
    if masks and tuple(strides[:1]) not in ((4,), (8,)):
        raise ValueError(
            "`strides` must begin with 4 or 8 for masks. Received: "
            f"strides={tuple(strides)}"
        )
    inputs, maps = pyramid(trunk, strides, filters, neck, seeds=seeds)
    towers = {
        name: [separable_layer(filters, f"{name}{i}", seeds) for i in range(DEPTH)]
        for name in ("class", "box")
    }
    logit = last(classes, "class_last", prior_bias(PRIOR), seeds())
    distance = last(4, "box_last", float(np.log(np.expm1(_SIDE))), seeds())
    parts: dict[str, list[Any]] = {"boxes": [], "places": [], "logits": []}
    if masks:
        parts[COEFFICIENTS] = []
        coefficient = last(COUNT, "coefficient_last", 0.0, seeds())
    for x, stride in zip(maps, strides, strict=True):
        own = logit(tower(x, towers["class"], f"class_level{stride}"))
        of_box = tower(x, towers["box"], f"box_level{stride}")
        sides = distance(of_box)
        sides = ops.softplus(ops.cast(sides, "float32")) * stride
        points = _points(sides, stride)
        parts["boxes"].append(rows_of(points + sides * _SIGNS, 4))
        parts["places"].append(rows_of(points + stride / 2 * _SIGNS, 4))
        parts["logits"].append(rows_of(own, classes))
        if masks:
            parts[COEFFICIENTS].append(rows_of(coefficient(of_box), COUNT))
    model = raw_model(inputs, parts, "fcos")
    if not masks:
        return model
    size = trunk.input_shape[1:3]
    shown = prototypes(maps[0], strides[0], size, filters, seeds)
    return detector(inputs, packed(model.output, shown), "fcos_masks")


def _points(sides: Any, stride: int) -> Any:
    """Middles x, y, x, y of the squares of a level, in the shape of `sides`."""
    rows, columns = sides.shape[1:3]
    # Two constants that differ: TensorFlow takes (1, 1, n, 1) and (1, n, 1, 1) of the
    # same numbers for one.
    x = np.zeros((1, 1, columns, 4), "float32")
    y = np.zeros((1, rows, 1, 4), "float32")
    x[0, 0, :, 0::2] = stride * (np.arange(columns)[:, None] + 0.5)
    y[0, :, 0, 1::2] = stride * (np.arange(rows)[:, None] + 0.5)
    return ops.add(ops.add(ops.zeros_like(sides), x), y)
