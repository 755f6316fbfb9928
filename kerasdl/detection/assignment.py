"""Which place of a feature map answers for which object."""

from typing import Any

from keras import ops

from .boxes import area

RADIUS = 1.5  # strides about the middle of an object
_REACH = 8.0  # strides to the farthest side of an object, at most
_NEVER = 1e8
REACH = 0.5  # IoU that the best answer of a point must have, as measures ask for


def assign_points(
    places: Any, boxes: Any, labels: Any, radius: float = RADIUS
) -> tuple[Any, Any, Any]:
    """Give each point of each picture the object that it answers for.

    A point answers for an object if it lies in it, not farther than `radius` strides
    from its middle, and if the farthest side of the object is within 4 to 8 strides;
    the finest stride takes all smaller ones too, the coarsest all larger ones. An
    object that lies between the points, so that there is none for it, as of some that
    are narrower than a stride, gets those next to its middle on the level of its size,
    if they can answer for it: an answer holds its point, so that beside an object it
    reaches an IoU of the object's area by that of the box around both. Where this is
    below .5 the point neither answers nor teaches that there is nothing. Of objects
    between four points these are squares of less than .55 strides. Of several objects a
    point answers for the smallest.

    Args:
        places: squares about the points, as wide as a stride, `(batch, points, 4)`.
        boxes: of the objects, `(batch, objects, 4)`.
        labels: `(batch, objects)`; below 0 is no object.
        radius: in strides.

    Returns:
        Numbers of objects, `(batch, points)` int32, of no meaning where the second,
        whether a point answers for any, is False; and whether it is next to one that it
        cannot answer for.

    Reference:
        Tian et al., 2019, https://arxiv.org/abs/1904.01355, section 3.2, with the
        centre sampling of its later version; that an object without a point gets
        those next to it is as of anchors, Ren et al., 2015,
        https://arxiv.org/abs/1506.01497, section 3.1.2
    """
    strides = ops.expand_dims(places[..., 2] - places[..., 0], 2)
    x, y = _middles(places, 2)
    nearest, farthest = _sides(x, y, boxes)
    middle_x, middle_y = _middles(boxes, 1)
    off = ops.maximum(ops.abs(x - middle_x), ops.abs(y - middle_y))
    finest = ops.min(strides, axis=1, keepdims=True)
    coarsest = ops.max(strides, axis=1, keepdims=True)
    is_large_enough = (farthest > _REACH / 2 * strides) | (strides <= finest)
    is_small_enough = (farthest <= _REACH * strides) | (strides >= coarsest)
    is_of_level = is_large_enough & is_small_enough
    fits = (nearest > 0) & (off < radius * strides) & is_of_level
    away = ops.where(is_of_level, off, _NEVER)
    is_object = ops.expand_dims(labels, 1) >= 0
    is_between = is_object & ~ops.any(fits, axis=1, keepdims=True)
    is_next = is_between & (away <= ops.min(away, axis=1, keepdims=True))
    own = ops.expand_dims(area(boxes), 1)
    reaches = own >= REACH * _area_around(x, y, boxes)
    fits = (fits & is_object) | (is_next & reaches)
    areas = ops.where(fits, own, _NEVER)
    is_blank = ops.any(is_next & ~reaches, axis=-1)
    return ops.argmin(areas, axis=-1), ops.any(fits, axis=-1), is_blank


def in_any(places: Any, boxes: Any, chosen: Any) -> Any:
    """Whether the middles of places lie in any of the boxes that are chosen.

    Args:
        places: `(batch, points, 4)`.
        boxes: `(batch, objects, 4)`.
        chosen: `(batch, objects)` of booleans.
    """
    nearest, _ = _sides(*_middles(places, 2), boxes)
    return ops.any((nearest > 0) & ops.expand_dims(chosen, 1), axis=-1)


def _middles(boxes: Any, axis: int) -> tuple[Any, Any]:
    """X and y of the middles of `(batch, n, 4)`, with an axis for the others."""
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2
    return tuple(ops.expand_dims(middles[..., place], axis) for place in range(2))


def _area_around(x: Any, y: Any, boxes: Any) -> Any:
    """Areas of the least boxes that hold each box and each point."""
    x1, y1, x2, y2 = (ops.expand_dims(boxes[..., place], 1) for place in range(4))
    width = ops.maximum(x2, x) - ops.minimum(x1, x)
    return width * (ops.maximum(y2, y) - ops.minimum(y1, y))


def _sides(x: Any, y: Any, boxes: Any) -> tuple[Any, Any]:
    """How far the nearest and the farthest side of each box is from each point.

    One side after the other: of all four at a time a large picture with many objects
    would take gigabytes.
    """
    x1, y1, x2, y2 = (ops.expand_dims(boxes[..., place], 1) for place in range(4))
    nearest = farthest = x - x1
    for side in (y - y1, x2 - x, y2 - y):
        nearest, farthest = ops.minimum(nearest, side), ops.maximum(farthest, side)
    return nearest, farthest
