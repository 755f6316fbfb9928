"""Objects of one view pasted into another, by their masks."""

from collections.abc import Sequence

import cv2
import numpy as np

from .masks import box_of

PASTES = 3  # objects that a view may get
# What is drawn, in places of the numbers of a view.
_WHETHER, _PARTNER, _OBJECT, _PLACE, _SCALE = 0, 1, 2, slice(3, 5), 5
_LEAST = 0.4  # of its size in its own view, that of a pasted object
# Labels, masks, and how many pixels each object has had.
View = tuple[np.ndarray, np.ndarray, np.ndarray]
_SEEN = 128  # of 255, from which on a pixel is the object's


def pasted(
    images: np.ndarray,
    labels: list[np.ndarray],
    masks: list[np.ndarray],
    draws: Sequence[np.ndarray],
    *,
    share: float,
    min_visible: float,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Put objects of other views into some views of a batch, anywhere, or smaller.

    What one hides is taken from the masks below; a box becomes that of what is left of
    its mask, and goes where that is less than `min_visible` of what there was before
    the first paste.

    Args:
        images: uint8 `(n, height, width, 3)`, changed in place.
        labels: of each view, `(objects, 6)`.
        masks: of each view, uint8 `(objects, height, width)` of 0 to 255.
        draws: of each paste, numbers of each view, uniform in [0, 1).
        share: probability that a view gets an object, at each paste.
        min_visible: share of an object that must stay.

    Returns:
        Labels and masks of each view.

    Reference:
        Ghiasi et al., 2021, https://arxiv.org/abs/2012.07177, section 3
    """
    wholes = [(own >= _SEEN).sum(axis=(1, 2)) for own in masks]
    for of_paste in draws:
        before = images.copy()
        views = list(zip(labels, masks, wholes, strict=True))
        found = list(views)
        for place, drawn in enumerate(of_paste):
            partner = int(drawn[_PARTNER] * len(views))
            theirs, shapes, _ = views[partner]
            able = np.flatnonzero(theirs[:, 5] == 0)  # no crowds
            if drawn[_WHETHER] < share and len(able):
                number = able[int(drawn[_OBJECT] * len(able))]
                found[place] = _onto(
                    images[place],
                    views[place],
                    before[partner],
                    (theirs[number], shapes[number]),
                    spread=drawn[_PLACE],
                    scale=_LEAST + (1 - _LEAST) * drawn[_SCALE],
                    min_visible=min_visible,
                )
        labels, masks, wholes = ([view[part] for view in found] for part in range(3))
    return labels, masks


def _onto(
    image: np.ndarray,
    own: View,
    source: np.ndarray,
    thing: tuple[np.ndarray, np.ndarray],
    *,
    spread: np.ndarray,
    scale: float,
    min_visible: float,
) -> View:
    """What is of `image` after `thing` of `source` was pasted into it."""
    (labels, masks, whole), (label, mask) = own, thing
    height, width = mask.shape
    x1, y1, x2, y2 = box_of(mask >= _SEEN)
    if x2 <= x1 or y2 <= y1:
        return own
    thing = source[y1:y2, x1:x2], mask[y1:y2, x1:x2]
    size = max(round((x2 - x1) * scale), 1), max(round((y2 - y1) * scale), 1)
    pixels, part = (cv2.resize(of, size, interpolation=cv2.INTER_AREA) for of in thing)
    # Whole: its box lies anywhere within the view.
    x, y = (spread * [width - size[0] + 1, height - size[1] + 1]).astype(int)
    to = slice(y, y + size[1]), slice(x, x + size[0])
    covers = part >= _SEEN
    if not covers.any():  # what is thin may vanish
        return own
    part = np.where(covers, part, 0)  # its border stays where it was
    np.copyto(image[to], pixels, where=covers[..., None])
    moved = np.zeros_like(mask)
    moved[to] = part
    hidden = moved >= _SEEN
    kept = np.where(hidden, 0, masks)
    left = (kept >= _SEEN).sum(axis=(1, 2))
    stays = left >= np.maximum(min_visible * whole, 1)
    labels = labels.copy()
    for row in np.flatnonzero(stays & (left < whole)):
        labels[row, :4] = box_of(kept[row] >= _SEEN)
    new = label.copy()
    new[:4] = box_of(moved >= _SEEN)
    return (
        np.concatenate([labels[stays], new[None]]),
        np.concatenate([kept[stays], moved[None]]),
        np.append(whole[stays], covers.sum()),
    )
