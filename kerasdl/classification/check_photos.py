"""The photos that prove the files of a classifier, each decoded once."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image

from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress
from kerasdl.artefacts import Batch
from kerasdl.data import ImageData

from .split_photos import photos_in_order, read_rows


class CheckPhotos(NamedTuple):
    """Photos of a split in file order, without damaged ones.

    Attributes:
        pixels: of the first batch with photos, uint8 `(n, height, width, 3)`.
        files: for each of them its file, or None where it is in memory.
        batches: `pixels` beside labels, from the first batch on; read once.
    """

    pixels: np.ndarray
    files: list[str | None]
    batches: Iterable[Batch]


def check_photos(data: ImageData, split: str) -> CheckPhotos:
    """Decode the first photos of a split with labels; the others follow when asked for.

    Raises:
        ValueError: no photo can be read.
    """
    photos, labels = photos_in_order(data, split), data.labels(split)
    indices = iter(range(photos.stream.num_batches))

    def read(index: int) -> tuple[np.ndarray, np.ndarray]:
        rows, floats = read_rows(photos, 0, index)
        return rows, np.clip(np.rint(floats), 0, 255).astype("uint8")

    first = next((batch for batch in map(read, indices) if len(batch[0])), None)
    if first is None:
        raise ValueError(f"No photo of {split!r} can be read.")

    def batches() -> Iterator[Batch]:
        every = chain([first], map_ahead(read, indices))
        count = len(photos.pictures)
        for rows, pixels in show_progress(
            every, count, "checking", step=data.batch_size
        ):
            yield {"pixels": pixels}, labels[rows]

    rows, pixels = first
    pictures = [photos.pictures[row] for row in rows]
    files = [picture if isinstance(picture, str) else None for picture in pictures]
    return CheckPhotos(pixels, files, batches())


def upright_files(photos: CheckPhotos, count: int) -> dict[int, str]:
    """By place the JPEG and PNG files among the first photos, at most `count`.

    Those that are turned by EXIF data are left out: TensorFlow does not turn them.
    """
    found = {}
    for place, file in enumerate(photos.files):
        if file is None or len(found) == count:
            continue
        with Image.open(file) as image:
            upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
            if image.format in ("JPEG", "PNG") and upright:
                found[place] = file
    return found
