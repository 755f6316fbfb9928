"""One-stage detectors with anchors: RetinaNet and SSDLite."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasdl._checks import check_positive_int
from kerasdl._seeds import Seeds

from .anchors import RATIOS, SCALES, decode, level_anchors
from .heads import DEPTH, PRIOR, last, raw_model, rows_of, tower
from .pyramid import (
    FILTERS,
    STRIDES,
    prior_bias,
    pyramid,
    separable,
    separable_layer,
    trunk_maps,
)

# Of SSD, which has no finer level than a stride of 16: smaller ones too.
_SSD_SCALES = (1.5, 3.0)
_SSD_STRIDES = (16, 32, 64, 128)


def retinanet(
    trunk: keras.Model,
    classes: int,
    strides: Sequence[int] = STRIDES,
    filters: int = FILTERS,
    *,
    neck: str = "fpn",
    seed: int | None = None,
) -> keras.Model:
    """A one-stage detector of nine anchors a place, to be trained by `AnchorLoss`.

    Input and output as of `fcos`, with anchors in place of the squares about points.
    Towers are of two separable convolutions, kernels those of all levels.

    Args:
        trunk: of a fixed picture size, as `models.build_trunk` makes it; any size.
        classes: their number.
        strides: of the levels.
        filters: of all maps.
        neck: "fpn" or "pan"; see `pyramid`.
        seed: of initial weights; None draws one and prints it.

    Raises:
        ValueError: an argument is none of these.

    Reference:
        Lin et al., 2017, https://arxiv.org/abs/1708.02002, section 4
    """
    check_positive_int("classes", classes)
    check_positive_int("filters", filters)
    seeds = Seeds(seed)
    inputs, maps = pyramid(trunk, strides, filters, neck, seeds=seeds)
    count = len(SCALES) * len(RATIOS)
    towers = {
        name: [separable_layer(filters, f"{name}{i}", seeds) for i in range(DEPTH)]
        for name in ("class", "box")
    }
    logit = last(count * classes, "class_last", prior_bias(PRIOR), seeds())
    code = last(count * 4, "box_last", 0.0, seeds())
    found = [
        (
            logit(tower(x, towers["class"], f"class_level{stride}")),
            code(tower(x, towers["box"], f"box_level{stride}")),
        )
        for x, stride in zip(maps, strides, strict=True)
    ]
    return _with_anchors(inputs, found, strides, SCALES, name="retinanet")


def ssd_lite(
    trunk: keras.Model,
    classes: int,
    strides: Sequence[int] = _SSD_STRIDES,
    filters: int = FILTERS,
    *,
    seed: int | None = None,
) -> keras.Model:
    """The lightest: separable convolutions on the trunk's own maps, without a pyramid.

    Input and output as of `fcos`, six anchors a place. Each level has its own
    prediction: a separable 3x3 convolution and a 1x1 one. Small objects are not its.
    It is trained by `AnchorLoss`, whose focal loss takes the place of SSD's choice of
    the worst negatives.

    Args:
        trunk: as in `retinanet`.
        classes: their number.
        strides: of the levels; those that the trunk has not are made of its last.
        filters: of maps beyond the trunk, and of predictions.
        seed: of initial weights; None draws one and prints it.

    Raises:
        ValueError: an argument is none of these.

    Reference:
        Sandler et al., 2018, https://arxiv.org/abs/1801.04381, section 6.2; Liu et al.,
        2016, https://arxiv.org/abs/1512.02325
    """
    check_positive_int("classes", classes)
    check_positive_int("filters", filters)
    seeds = Seeds(seed)
    inputs, maps = trunk_maps(trunk, strides)
    for stride in strides[len(maps) :]:
        maps.append(separable(maps[-1], filters, f"level{stride}", seeds, step=2))
    count = len(_SSD_SCALES) * len(RATIOS)
    found = []
    for x, stride in zip(maps, strides, strict=True):
        own = {
            name: separable(x, filters, f"{name}_level{stride}", seeds)
            for name in ("class", "box")
        }
        logit = last(count * classes, f"class_last{stride}", prior_bias(PRIOR), seeds())
        code = last(count * 4, f"box_last{stride}", 0.0, seeds())
        found.append((logit(own["class"]), code(own["box"])))
    return _with_anchors(inputs, found, strides, _SSD_SCALES, name="ssd_lite")


def _with_anchors(
    inputs: Any,
    found: Sequence[tuple[Any, Any]],
    strides: Sequence[int],
    scales: Sequence[float],
    *,
    name: str,
) -> keras.Model:
    """The model of raw answers of each level's logits and codes."""
    parts: dict[str, list[Any]] = {"boxes": [], "places": [], "logits": []}
    count = len(scales) * len(RATIOS)
    for (logits, codes), stride in zip(found, strides, strict=True):
        rows, columns = codes.shape[1:3]
        anchors = level_anchors(rows, columns, stride, scales)[None]
        codes = rows_of(codes, 4)
        parts["boxes"].append(decode(codes, anchors))
        parts["places"].append(ops.zeros_like(codes) + anchors)
        parts["logits"].append(rows_of(logits, logits.shape[3] // count))
    return raw_model(inputs, parts, name)
