"""What is wrong with masks, against their photos and their boxes."""

from typing import Any

import pandas as pd

from kerasdl._optional import require

from .annotations import BOX, Annotations
from .masks import as_pixels, encoded

_INSIDE = 0.5  # of a mask, that its box shall hold


def mask_faults(annotations: Annotations, sizes: pd.DataFrame) -> pd.Series:
    """The fault of each mask that has one, by the row of its box.

    A mask must be polygons of three points or more, or an RLE of its photo's size, must
    cover something, and lie in its box for at least one half. Its `void` must be such
    polygons or such an RLE.

    Args:
        annotations: of all.
        sizes: of the photos, as `measured` gives them; masks on others are not looked
            at.

    Raises:
        ImportError: there are masks, and the extra `detection` is not installed.
    """
    boxes = annotations.boxes
    there = boxes[boxes["mask"].notna() & boxes["file"].isin(sizes.index)]
    every = {
        row: _fault(mask, box, (height, width)) or _void_fault(void, (height, width))
        for row, mask, void, box, (height, width) in zip(
            there.index,
            there["mask"],
            there["void"],
            there[BOX].to_numpy().tolist(),
            sizes.loc[there["file"], ["height", "width"]].to_numpy().tolist(),
            strict=True,
        )
    }
    found = {row: fault for row, fault in every.items() if fault}
    return pd.Series(found, dtype=object)


def _fault(mask: Any, box: list[float], size: tuple[int, int]) -> str:
    """What is wrong with a mask, or ""."""
    tools = require("faster_coco_eval.core.mask", "detection")
    height, width = size
    try:
        rle = encoded(mask, size)
    except ValueError as error:
        return f"has a mask {error}, on a photo of {width} x {height}"
    try:
        # Counts that somebody packed may be of another sum: decoding finds that.
        covers = tools.decode(rle).any() if isinstance(mask, dict) else tools.area(rle)
    except (TypeError, ValueError, RuntimeError):
        return "has a mask whose counts are not those of its pixels"
    if not covers:
        return "has an empty mask"
    x1, y1, x2, y2 = box
    corners = tools.frPyObjects([[x1, y1, x2, y1, x2, y2, x1, y2]], height, width)
    common = tools.area(tools.merge([rle, *corners], intersect=True))
    is_inside = common >= _INSIDE * tools.area(rle)
    return "" if is_inside else "has a mask that lies outside of it"


def _void_fault(void: Any, size: tuple[int, int]) -> str:
    """What is wrong with what may be of an object, or ""."""
    try:
        if void is not None:
            as_pixels(void, size)
    except ValueError as error:
        return f"has a mask whose void is none: {error}"
    return ""
