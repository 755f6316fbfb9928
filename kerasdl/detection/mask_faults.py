"""What is wrong with masks, against their photos and their boxes."""

from typing import Any

import pandas as pd

from kerasdl._optional import require

from .annotations import BOX, SHAPES, Annotations
from .masks import corners_of, encoded

_INSIDE = 0.5  # of a mask, that its box shall hold


def mask_faults(
    annotations: Annotations, sizes: pd.DataFrame
) -> list[tuple[int, str, str]]:
    """The fault of each mask and each void that has one.

    Both must be polygons of three points or more, or an RLE of their photo's size. A
    mask must cover something, and lie in its box for at least one half.

    Args:
        annotations: of all.
        sizes: of the photos, as `measured` gives them; masks on others are not looked
            at.

    Returns:
        For each the row of its box, its column, one of `SHAPES`, and what is wrong.

    Raises:
        ImportError: there are masks, and the extra `detection` is not installed.
    """
    boxes = annotations.boxes[annotations.boxes["file"].isin(sizes.index)]
    found = []
    for column in SHAPES:
        there = boxes[boxes[column].notna()]
        for row, shape, box, (height, width) in zip(
            there.index,
            there[column],
            there[BOX].to_numpy().tolist(),
            sizes.loc[there["file"], ["height", "width"]].to_numpy().tolist(),
            strict=True,
        ):
            if fault := _fault(column, shape, box, (height, width)):
                found.append((row, column, fault))
    return found


def _fault(column: str, shape: Any, box: list[float], size: tuple[int, int]) -> str:
    """What is wrong with a mask or a void, or ""."""
    tools = require("faster_coco_eval.core.mask", "detection")
    height, width = size
    try:
        rle = encoded(shape, size)
    except ValueError as error:
        return f"has a {column} {error}, on a photo of {width} x {height}"
    try:
        # Counts that somebody packed may be of another sum: decoding finds that.
        covers = tools.decode(rle).any() if isinstance(shape, dict) else tools.area(rle)
    except (TypeError, ValueError, RuntimeError):
        return f"has a {column} whose counts are not those of its pixels"
    if column == "void":  # there may be none, and it lies around the box as well
        return ""
    if not covers:
        return "has an empty mask"
    corners = tools.frPyObjects([corners_of(box)], height, width)
    common = tools.area(tools.merge([rle, *corners], intersect=True))
    is_inside = common >= _INSIDE * tools.area(rle)
    return "" if is_inside else "has a mask that lies outside of it"
