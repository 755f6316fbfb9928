"""Boxes under the warp of their photo."""

import numpy as np

from kerasdl.data import placement

# Boxes lie on edges of pixels, matrices map centres: half a pixel between.
_TO_CENTRES = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
_TO_EDGES = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])


def on_edges(transform: np.ndarray) -> np.ndarray:
    """Where edges go under a warp.

    Args:
        transform: `(3, 3)`, from a pixel of the result to one of the source, centres of
            pixels at integers.

    Returns:
        `(3, 3)`, for columns (x, y, 1) in edge coordinates, from source to result.
    """
    return _TO_EDGES @ np.linalg.inv(transform) @ _TO_CENTRES


def to_view(
    photo_size: tuple[int, int], image_size: tuple[int, int], resize: str
) -> np.ndarray:
    """Matrix from edges in a photo of (height, width) to edges in its plain view."""
    return on_edges(placement(photo_size, image_size, resize))


def moved(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The upright boxes around `boxes` whose corners a matrix has moved.

    Args:
        boxes: `(n, 4)`, x1 y1 x2 y2.
        matrix: `(3, 3)`, affine.
    """
    corners = boxes[:, [[0, 1], [2, 1], [0, 3], [2, 3]]]  # (n, 4, 2)
    corners = corners @ matrix[:2, :2].T + matrix[:2, 2]
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


def clipped(
    boxes: np.ndarray, window: tuple[float, float, float, float], min_visible: float
) -> tuple[np.ndarray, np.ndarray]:
    """What a window shows of boxes, and which of them show enough.

    Args:
        boxes: `(n, 4)`, x1 y1 x2 y2.
        window: x1, y1, x2, y2.
        min_visible: share of its area that a box must show; and a pixel of each side.

    Returns:
        All boxes, cut to the window, and `(n,)` of booleans.
    """
    x1, y1, x2, y2 = window
    shown = np.clip(boxes, (x1, y1, x1, y1), (x2, y2, x2, y2))
    sides = shown[:, 2:] - shown[:, :2]
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    is_seen = (sides >= 1).all(axis=1)
    return shown, is_seen & (sides.prod(axis=1) >= min_visible * whole)
