"""FCOS: every point of every level says what is there and how far its sides are."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import initializers, layers, ops

from kerasdl._checks import check_positive_int
from kerasdl._seeds import resolve_seed

from .pyramid import (
    FILTERS,
    STRIDES,
    batch_norm,
    prior_bias,
    pyramid,
    seeds_from,
    separable_layer,
)

_DEPTH = 2  # convolutions of a tower
_PRIOR = 0.01  # of an object at a point, to begin with: focal loss, section 4.1
_SIDE = 2.0  # strides from a point to a side, to begin with
_SIGNS = np.array([-1, -1, 1, 1], "float32")  # left, top, right, bottom of a point


def fcos(
    trunk: keras.Model,
    classes: int,
    strides: Sequence[int] = STRIDES,
    filters: int = FILTERS,
    *,
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
        strides: of the levels; the finest decides how small an object may be.
        filters: of all maps.
        seed: of initial weights; None draws one and prints it.

    Raises:
        ValueError: an argument is none of these.

    Reference:
        Tian et al., 2019, https://arxiv.org/abs/1904.01355; towers as in
        https://arxiv.org/abs/1911.09070, section 3.3
    """
    check_positive_int("classes", classes)
    check_positive_int("filters", filters)
    seeds = seeds_from(resolve_seed(seed))
    inputs, maps = pyramid(trunk, strides, filters, seeds=seeds)
    towers = {
        name: [separable_layer(filters, f"{name}{i}", seeds) for i in range(_DEPTH)]
        for name in ("class", "box")
    }
    logit = _last(classes, "class_last", prior_bias(_PRIOR), next(seeds))
    distance = _last(4, "box_last", float(np.log(np.expm1(_SIDE))), next(seeds))
    found: dict[str, list[Any]] = {"boxes": [], "places": [], "logits": []}
    for x, stride in zip(maps, strides, strict=True):
        own = logit(_tower(x, towers["class"], f"class_level{stride}"))
        sides = distance(_tower(x, towers["box"], f"box_level{stride}"))
        sides = ops.softplus(ops.cast(sides, "float32")) * stride
        points = _points(sides, stride)
        parts = {
            "boxes": points + sides * _SIGNS,
            "places": points + stride / 2 * _SIGNS,
            "logits": ops.cast(own, "float32"),
        }
        for name, part in parts.items():
            count = part.shape[1] * part.shape[2]
            found[name].append(ops.reshape(part, (-1, count, part.shape[3])))
    together = [
        layers.Concatenate(axis=1, name=name, dtype="float32")(parts)
        for name, parts in found.items()
    ]
    raw = layers.Concatenate(axis=2, name="raw", dtype="float32")(together)
    return keras.Model(inputs, raw, name="fcos")


def _tower(x: Any, convolutions: Sequence[layers.Layer], name: str) -> Any:
    for number, convolution in enumerate(convolutions):
        x = batch_norm(f"{name}_{number}")(convolution(x))
        x = layers.ReLU(name=f"{name}_{number}_relu")(x)
    return x


def _last(filters: int, name: str, bias: float, seed: int) -> layers.Layer:
    return layers.Conv2D(
        filters,
        1,
        kernel_initializer=initializers.RandomNormal(stddev=0.01, seed=seed),
        bias_initializer=initializers.Constant(bias),
        name=name,
    )


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
