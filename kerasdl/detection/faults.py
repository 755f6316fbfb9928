"""What is wrong with boxes, and with photos against their boxes."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from kerasdl._checks import check_one_of, first_few
from kerasdl._parallel import map_ahead
from kerasdl.data import ImageError, image_size

from .annotations import BOX, Annotations
from .mask_faults import mask_faults

# What reaches out by less is rounding: of VOC's corners, counted from 0 by some tools.
TOLERANCE = 1.0  # pixels
OUTSIDE = "reaches outside the photo"


def measured(annotations: Annotations) -> tuple[pd.DataFrame, pd.Series]:
    """Sizes of the photos by their headers, and what is wrong with photos.

    Returns:
        Columns `height` and `width` of those that can be read, EXIF orientation
        applied; the fault of each that cannot be used, by file.
    """

    def look(file: str) -> tuple[int, int] | str:
        path = annotations.root / file
        if not path.is_file():
            return "there is no such photo"
        try:
            return image_size(path)
        except ImageError as error:
            return error.reason

    files = annotations.photos.index
    found = dict(zip(files, map_ahead(look, files), strict=True))
    sizes = {file: size for file, size in found.items() if not isinstance(size, str)}
    table = pd.DataFrame.from_dict(sizes, "index", columns=["height", "width"])
    faults = {file: size for file, size in found.items() if isinstance(size, str)}
    said = annotations.photos.loc[table.index, ["height", "width"]]
    for file in said.index[(said != table).any(axis=1) & (said > 0).all(axis=1)]:
        (height, width), (real_height, real_width) = said.loc[file], table.loc[file]
        is_turned = (height, width) == (real_width, real_height)
        faults[file] = (
            f"its boxes are of {width} x {height} pixels, it has {real_width} x "
            f"{real_height}{' as EXIF turns it' if is_turned else ''}"
        )
    return table, pd.Series(faults, dtype=object)


def box_faults(annotations: Annotations, sizes: pd.DataFrame) -> pd.Series:
    """The fault of each box that has one, by its row.

    Args:
        annotations: of all.
        sizes: of the photos, as `measured` gives them; boxes on others are not looked
            at for their place.
    """
    boxes = annotations.boxes
    corners = boxes[BOX].to_numpy()
    limits = sizes.reindex(boxes["file"])[["width", "height"]].to_numpy("float64")
    limits = np.nan_to_num(np.tile(limits, 2), nan=np.inf)
    clipped = np.clip(corners, 0, limits)
    is_empty = ~(clipped[:, 2:] > clipped[:, :2]).all(axis=1)
    is_outside = (abs(clipped - corners) > TOLERANCE).any(axis=1)
    faults = pd.Series("", index=boxes.index, dtype=object)
    for found, fault in (
        (is_outside, OUTSIDE),
        (boxes.duplicated(["file", "label", *BOX]).to_numpy(), "stands there twice"),
        (is_empty, "has no area in the photo"),
        (annotations.labels() < 0, "is of an unknown class"),
    ):
        faults[found] = fault
    return faults[faults != ""]


def without_faults(
    annotations: Annotations, on_error: str = "skip", *, masks: bool = False
) -> Annotations:
    """The photos and boxes that training may take, with the size of each photo.

    Args:
        annotations: as they were read.
        on_error: "skip" leaves out what is wrong and cuts what reaches outside, with a
            warning; "raise" stops.
        masks: whether they and their voids are looked at: a bad one is left out, and a
            box without a mask is its own.

    Raises:
        ImportError: of masks, without the extra `detection`.
        ValueError: `on_error` is neither, or is "raise" and there are faults; or
            nothing is left.
    """
    check_one_of("on_error", on_error, ("skip", "raise"))
    sizes, of_photos = measured(annotations)
    of_boxes = box_faults(annotations, sizes)
    of_masks = mask_faults(annotations, sizes) if masks else []
    named = [f"{file}: {fault}" for file, fault in of_photos.items()]
    files = annotations.boxes["file"]
    named += [
        f"{files[row]}: a box {fault}"
        for row, fault in [
            *of_boxes.items(),
            *((row, fault) for row, _, fault in of_masks),
        ]
        if files[row] not in of_photos
    ]
    if named and on_error == "raise":
        raise ValueError(
            "Photos and boxes must be without faults with on_error='raise'. Received: "
            f"{first_few(named)}. See `detection.check_boxes`."
        )
    if named:
        warnings.warn(
            f"left out or cut: {first_few(named)}; `detection.check_boxes` names all",
            stacklevel=2,
        )
    kept = [file for file in annotations.photos.index if file not in of_photos]
    if not kept:
        raise ValueError(
            "A photo must be left that can be used. Received: "
            f"{first_few(named) or 'no photos'}"
        )
    boxes = annotations.boxes.copy()
    for row, column, _ in of_masks:
        boxes.at[row, column] = None
    boxes = boxes.drop(of_boxes.index[of_boxes != OUTSIDE])
    found = replace(annotations, boxes=boxes).take(kept)
    photos = found.photos.assign(**sizes.loc[kept])
    limits = photos.loc[found.boxes["file"], ["width", "height"]].to_numpy()
    clipped = np.clip(found.boxes[BOX].to_numpy(), 0, np.tile(limits, 2))
    boxes = found.boxes.assign(**dict(zip(BOX, clipped.T, strict=True)))
    return replace(found, photos=photos, boxes=boxes.reset_index(drop=True))
