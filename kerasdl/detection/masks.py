"""Masks of objects: polygons and RLE of COCO to pixels, and back."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from kerasdl._optional import require

from .geometry import moved

STRIDE = 4  # pixels of a picture for one of a mask that a network gives
SURE = 0.5  # probability above which a pixel is the object's


def as_pixels(mask: Any, size: tuple[int, int]) -> np.ndarray:
    """What a mask covers.

    Args:
        mask: polygons, a list of lists `[x, y, x, y, ...]`, or an RLE, a dict of `size`
            and `counts`, as COCO has them.
        size: (height, width) of the photo.

    Returns:
        uint8 `(height, width)` of 0 and 1.

    Raises:
        ImportError: the extra `detection` is not installed.
        ValueError: the mask is none, or of another size.
    """
    tools = require("faster_coco_eval.core.mask", "detection")
    try:
        return np.ascontiguousarray(tools.decode(encoded(mask, size)))
    except (TypeError, ValueError, RuntimeError) as error:
        height, width = size
        raise ValueError(
            f"`mask` must be polygons or an RLE of {height} x {width} pixels. "
            f"Received: {mask!r:.100} ({error})"
        ) from error


def encoded(mask: Any, size: tuple[int, int]) -> dict[str, Any]:
    """The RLE of a mask, its counts packed, which are not looked at.

    Args:
        mask: as in `as_pixels`.
        size: (height, width) of the photo.

    Raises:
        ImportError: the extra `detection` is not installed.
        ValueError: the mask is none, or of another size; says what it is.
    """
    tools = require("faster_coco_eval.core.mask", "detection")
    height, width = map(int, size)
    if isinstance(mask, list):
        if not mask or not all(map(_is_polygon, mask)):
            raise ValueError("with a polygon that is not three points or more")
        polygons = [list(map(float, points)) for points in mask]
        return tools.merge(tools.frPyObjects(polygons, height, width))
    if not isinstance(mask, dict) or not {"size", "counts"} <= mask.keys():
        raise ValueError("that is neither polygons nor an RLE")
    own = mask["size"]
    if not isinstance(own, (list, tuple)) or len(own) != 2:
        raise ValueError("of no size")
    if tuple(own) != (height, width):
        raise ValueError(f"of {own[1]} x {own[0]} pixels")
    if not isinstance(mask["counts"], list):
        return mask
    try:
        return tools.frPyObjects(mask, height, width)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError("whose counts are not those of its pixels") from error


def corners_of(box: Sequence[float]) -> list[float]:
    """The polygon of a box, (x1, y1, x2, y2)."""
    x1, y1, x2, y2 = box
    return [x1, y1, x2, y1, x2, y2, x1, y2]


def mask_area(mask: Any, size: tuple[int, int]) -> float:
    """Pixels that a mask covers.

    Args:
        mask: as in `as_pixels`.
        size: (height, width) of the photo.

    Raises:
        ImportError: the extra `detection` is not installed.
        ValueError: the mask is none, or of another size.
    """
    tools = require("faster_coco_eval.core.mask", "detection")
    rle = encoded(mask, size)
    try:
        return float(tools.area(rle))
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"`mask` must be an RLE. Received: {mask!r:.100}") from error


def _is_polygon(points: Any) -> bool:
    """Whether there are three points or more; of four numbers COCO makes a box."""
    try:
        values = np.asarray(points, "float64")
    except (TypeError, ValueError):
        return False
    return (
        values.ndim == 1
        and len(values) >= 6
        and len(values) % 2 == 0
        and bool(np.isfinite(values).all())
    )


def as_rle(pixels: np.ndarray) -> dict[str, Any]:
    """The RLE of what is not 0 in `(height, width)`, as JSON can hold it."""
    tools = require("faster_coco_eval.core.mask", "detection")
    height, width = map(int, pixels.shape)
    # An object's columns alone: a photo of 12 million pixels is mostly others.
    left, _, right, _ = box_of(pixels)
    is_inside = pixels[:, left:right].T.ravel() != 0
    ends = np.flatnonzero(np.diff(is_inside, prepend=False, append=False))
    ends = [0, *(ends + left * height).tolist(), height * width]
    runs = np.diff(ends).tolist()  # of 0 and 1 by turns
    if len(runs) > 1 and runs[-1] == 0:
        runs.pop()
    rle = tools.frPyObjects({"size": [height, width], "counts": runs}, height, width)
    counts = rle["counts"]
    text = counts.decode("ascii") if isinstance(counts, bytes) else counts
    return {"size": list(map(int, rle["size"])), "counts": text}


def box_of(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """The box x1 y1 x2 y2 around what is not 0; all 0 around nothing."""
    x, y, width, height = cv2.boundingRect((pixels != 0).view(np.uint8))
    return x, y, x + width, y + height


def mask_size(image_size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the masks that a network gives for such pictures."""
    height, width = image_size
    return -(-height // STRIDE), -(-width // STRIDE)


def lowered(masks: np.ndarray) -> np.ndarray:
    """Shares of masks at a quarter of their size.

    Args:
        masks: uint8 `(n, height, width)` of 0 to 255.

    Returns:
        float32 `(n, *mask_size)` in [0, 1].
    """
    count, height, width = masks.shape
    rows, columns = mask_size((height, width))
    padded = np.zeros((count, STRIDE * rows, STRIDE * columns), np.uint8)
    padded[:, :height, :width] = masks
    parts = padded.reshape(count, rows, STRIDE, columns, STRIDE)
    return parts.mean(axis=(2, 4), dtype=np.float32) / 255


def in_photo(mask: np.ndarray, size: tuple[int, int], matrix: np.ndarray) -> np.ndarray:
    """What a network's mask covers of its photo.

    Args:
        mask: probabilities `(rows, columns)`.
        size: (height, width) of the photo.
        matrix: from edges in the photo to edges in the picture that was answered.

    Returns:
        uint8 `(height, width)` of 0 and 1.
    """
    found = np.zeros(size, np.uint8)
    if not (mask > SURE).any():
        return found
    to_mask = np.diag([1 / STRIDE, 1 / STRIDE, 1]) @ matrix
    # Between two squares it ends somewhere: in the next one at most.
    around = np.add(box_of(mask > SURE), [-1.0, -1.0, 1.0, 1.0])
    (window,) = moved(around[None], np.linalg.inv(to_mask))
    x1, y1 = np.maximum(np.floor(window[:2]).astype(int), 0)
    x2, y2 = np.minimum(np.ceil(window[2:]).astype(int), size[::-1])
    if x2 <= x1 or y2 <= y1:  # in a border of the picture
        return found
    to_mask = to_mask @ np.array([[1, 0, x1], [0, 1, y1], [0, 0, 1]])
    # From edges to centres of pixels, which OpenCV's matrices map.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centres = np.linalg.inv(half) @ to_mask @ half
    shown = cv2.warpAffine(
        mask.astype(np.float32),
        centres[:2],
        (int(x2 - x1), int(y2 - y1)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    found[y1:y2, x1:x2] = shown > SURE
    return found
