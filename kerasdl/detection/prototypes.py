"""Masks of a one-stage detector: prototypes of a picture, coefficients of a place.

Reference:
    Bolya et al., 2019, YOLACT, https://arxiv.org/abs/1904.02689
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from kerasdl._seeds import Seeds

from .masks import STRIDE, mask_size
from .pyramid import separable

COUNT = 16
COEFFICIENTS, PROTOTYPES = "coefficients", "prototypes"


def prototypes(
    x: Any, stride: int, image_size: tuple[int, int], filters: int, seeds: Seeds
) -> Any:
    """Maps `(batch, *mask_size, COUNT)` of which each mask is a sum.

    Args:
        x: the finest level of a pyramid.
        stride: of it, 4 or 8.
        image_size: (height, width) of the picture.
        filters: of the convolutions.
        seeds: of initial weights.
    """
    rows, columns = mask_size(image_size)
    x = separable(x, filters, "prototype0", seeds)
    if stride > STRIDE:
        x = layers.UpSampling2D(
            stride // STRIDE, interpolation="bilinear", name="prototype_up"
        )(x)
        x = x[:, :rows, :columns]
    x = separable(x, filters, "prototype1", seeds)
    init = keras.initializers.GlorotUniform(seed=seeds())
    x = layers.Conv2D(COUNT, 1, kernel_initializer=init, name="prototype_last")(x)
    return layers.Activation("relu", name=PROTOTYPES, dtype="float32")(x)


def mask_logits(coefficients: Any, maps: Any) -> Any:
    """Logits of masks `(batch, n, rows * columns)`.

    Args:
        coefficients: `(batch, n, COUNT)`.
        maps: `(batch, rows * columns, COUNT)`.
    """
    return ops.matmul(coefficients, ops.transpose(maps, (0, 2, 1)))


def within(boxes: Any, size: tuple[int, int]) -> Any:
    """1 in squares of a mask whose middles lie in boxes, `(batch, n, rows, columns)`.

    Args:
        boxes: `(batch, n, 4)` in pixels of the picture.
        size: (rows, columns) of a mask.
    """
    rows, columns = size
    x = (np.arange(columns, dtype="float32")[None, None] + 0.5) * STRIDE
    y = (np.arange(rows, dtype="float32")[None, None] + 0.5) * STRIDE
    parts = [ops.expand_dims(boxes[..., place], 2) for place in range(4)]
    across = _between(x, parts[0], parts[2])
    down = _between(y, parts[1], parts[3])
    return ops.expand_dims(down, 3) * ops.expand_dims(across, 2)


def _between(places: Any, low: Any, high: Any) -> Any:
    inside = (low <= places) & (high > places)
    return ops.cast(inside, "float32")
