"""Boxes with names drawn into a picture."""

from collections.abc import Sequence

import cv2
import numpy as np

# Okabe and Ito's eight colours, which the colour-blind can tell apart.
_COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (255, 255, 255),
)


def with_boxes(
    image: np.ndarray,
    boxes: np.ndarray,
    names: Sequence[str],
    classes: Sequence[int],
) -> np.ndarray:
    """A copy of `image` with boxes and their names.

    Args:
        image: RGB in [0, 255], `(height, width, 3)`.
        boxes: `(n, 4)`, x1 y1 x2 y2 in its pixels.
        names: one line for each, such as "cat 0.97".
        classes: a number for each, which has a colour.

    Returns:
        uint8.
    """
    drawn = np.clip(np.rint(image), 0, 255).astype(np.uint8).copy()
    side = max(drawn.shape[:2])
    line, scale = max(round(side / 250), 1), max(side / 800, 0.35)
    for box, name, number in zip(boxes, names, classes, strict=True):
        colour = _COLOURS[int(number) % len(_COLOURS)]
        # OpenCV has no numbers for what is far beyond the picture.
        corners = np.clip(np.nan_to_num(np.rint(box)), -side, 2 * side)
        x1, y1, x2, y2 = corners.astype(int).tolist()
        cv2.rectangle(drawn, (x1, y1), (x2 - 1, y2 - 1), colour, line)
        font = cv2.FONT_HERSHEY_SIMPLEX
        (width, height), base = cv2.getTextSize(name, font, scale, 1)
        top = max(y1 - height - base, 0)
        bottom = top + height + base
        cv2.rectangle(drawn, (x1, top), (x1 + width, bottom), colour, -1)
        cv2.putText(
            drawn,
            name,
            org=(x1, bottom - base // 2 - 1),
            fontFace=font,
            fontScale=scale,
            color=(0, 0, 0),
            lineType=cv2.LINE_AA,
        )
    return drawn


def with_masks(
    image: np.ndarray, masks: Sequence[np.ndarray], classes: Sequence[int]
) -> np.ndarray:
    """A copy of `image` in which masks have half the colour of their class.

    Args:
        image: RGB in [0, 255], `(height, width, 3)`.
        masks: `(height, width)` each; what is not 0 is covered.
        classes: a number for each, which has a colour.

    Returns:
        uint8.
    """
    drawn = np.clip(np.rint(image), 0, 255).astype(np.uint8).copy()
    for mask, number in zip(masks, classes, strict=True):
        covered = mask > 0
        colour = np.array(_COLOURS[int(number) % len(_COLOURS)])
        drawn[covered] = (drawn[covered] + colour) // 2
    return drawn
