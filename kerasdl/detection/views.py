"""Photos as a detector sees them, and its answers in the photos' own pixels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from kerasdl._names import as_text
from kerasdl._parallel import map_ahead
from kerasdl.data import (
    MAX_PIXELS,
    ImageError,
    decode_image,
    encoded_size,
    image_size,
    read_image,
    warp_image,
)

from .annotations import BOX
from .geometry import moved, to_view
from .masks import as_rle, in_photo

COLUMNS = ["file", "label", "score", *BOX]


class Geometry(NamedTuple):
    """How photos are placed in what a model takes.

    Attributes:
        image_size: (height, width) in pixels.
        resize: "pad", "squash" or "crop".
    """

    image_size: tuple[int, int]
    resize: str


class View(NamedTuple):
    """A photo as a model takes it.

    Attributes:
        file: its name.
        size: (height, width) of the upright photo.
        pixels: uint8 `(*image_size, 3)`.
    """

    file: str
    size: tuple[int, int]
    pixels: np.ndarray


def view_of(
    content: bytes, file: str, geometry: Geometry, max_pixels: int = MAX_PIXELS
) -> View:
    """The view of an image file's content.

    Raises:
        ImageError: it cannot be read; the message calls it `file`.
    """
    size = encoded_size(content, file)
    photo = decode_image(content, file, geometry.image_size, max_pixels)
    return View(file, size, warp_image(photo, *geometry))


def views(
    files: Iterable[str],
    root: Path,
    geometry: Geometry,
    max_pixels: int = MAX_PIXELS,
    damaged: dict[str, str] | None = None,
) -> Iterator[View]:
    """Views of photos, read ahead in threads.

    Args:
        files: relative to `root`.
        root: their folder.
        geometry: of the model.
        max_pixels: of a photo that is decoded.
        damaged: where the reasons of those that are left out go, by file; None raises.

    Raises:
        ImageError: a photo cannot be read, and `damaged` is None.
    """

    def read(file: str) -> View | None:
        path = root / file
        try:
            if as_text(file) != file:  # which tables do not hold
                raise ImageError(path, "its name is no UTF-8")
            size = image_size(path)
            photo = read_image(path, geometry.image_size, max_pixels)
        except ImageError as error:
            if damaged is None:
                raise
            damaged[as_text(file)] = error.reason
            return None
        return View(file, size, warp_image(photo, *geometry))

    return filter(None, map_ahead(read, files))


def in_photos(
    found: Mapping[str, np.ndarray],
    photos: Sequence[tuple[str, tuple[int, int]]],
    geometry: Geometry,
    class_names: Sequence[str],
    *,
    threshold: float = 0.0,
) -> list[pd.DataFrame]:
    """A table of the answers to each photo, in its own pixels.

    Args:
        found: final answers, a row for each photo or more.
        photos: name and (height, width) of each.
        geometry: of the model.
        class_names: in the order of its classes.
        threshold: score from which on an answer is wanted: no mask of another is made.

    Returns:
        Columns `COLUMNS`, the best first; of answers with masks also `mask`, an RLE.
    """
    names = np.array(class_names, object)
    tables = []
    for place, (file, (height, width)) in enumerate(photos):
        count = int(found["count"][place])
        matrix = to_view((height, width), *geometry)
        boxes = moved(found["boxes"][place, :count], np.linalg.inv(matrix))
        boxes = np.clip(boxes, 0, [width, height, width, height])
        # Of the black borders nothing is left.
        is_there = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        # A score that is no number stays, to be seen.
        is_there &= ~(found["scores"][place, :count] < threshold)
        rows = np.flatnonzero(is_there)
        boxes = boxes[rows]
        table = pd.DataFrame(boxes, columns=BOX).assign(
            file=file,
            label=names[found["labels"][place, rows].astype(int)],
            score=found["scores"][place, rows],
        )
        if "masks" in found:
            table["mask"] = [
                as_rle(in_photo(mask, (height, width), matrix))
                for mask in found["masks"][place][rows]
            ]
        tables.append(table)
    return tables


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of several, which may all be empty."""
    full = [table for table in tables if len(table)]
    if not full:
        return pd.DataFrame(columns=COLUMNS).astype(
            dict.fromkeys(["score", *BOX], "f8")
        )
    table = pd.concat(full, ignore_index=True)
    return table[[*COLUMNS, *(["mask"] if "mask" in table else [])]]
