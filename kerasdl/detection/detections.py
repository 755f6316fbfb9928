"""What a detector found in some photos: a table, and the files made of it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasdl._atomic import write_json, write_text
from kerasdl._checks import check_writable, first_few, make_writable_folder
from kerasdl._described import Described, some
from kerasdl.data import MAX_PIXELS, list_images, read_image

from .annotations import BOX, Annotations
from .drawing import with_boxes, with_masks
from .masks import as_pixels


@dataclass(frozen=True, eq=False, repr=False)
class Detections(Described):
    """Boxes found in photos, in pixels of the upright photos.

    Attributes:
        root: folder that the names of photos are relative to.
        photos: `height` and `width` of each photo that could be read, by its file.
        boxes: a row for each answer: `file`, `label`, `score`, and `x1`, `y1`, `x2`,
            `y2` in edge coordinates from 0; photo after photo, the best first. Of a
            detector with masks also `mask`, an RLE of the photo's size.
        class_names: in the order of the model's classes.
        damaged: reason by file of the photos that were left out.
        max_pixels: of a photo that is decoded to be drawn on.
    """

    root: Path
    photos: pd.DataFrame
    boxes: pd.DataFrame
    class_names: list[str]
    damaged: dict[str, str]
    max_pixels: int = MAX_PIXELS

    def _facts(self) -> dict[str, str]:
        return {
            "photos": f"{len(self.photos):,}: {some(list(self.photos.index), 3)}",
            "classes": f"{len(self.class_names)}: {some(self.class_names)}",
            "boxes": f"{len(self.boxes):,}",
            "masks": "of each box" if "mask" in self.boxes else "",
            "damaged": some(list(self.damaged), 3),
        }

    def above(self, threshold: float) -> Annotations:
        """Answers of at least this score, as if somebody had drawn them.

        So `write_coco`, `write_voc` and `write_yolo` write them.
        """
        kept = self.boxes[self.boxes["score"] >= threshold]
        photos = {file: dict(row) for file, row in self.photos.iterrows()}
        rows = kept.drop(columns="score").to_dict("records")
        return Annotations.of(self.root, self.class_names, photos, rows)

    def to_json(self, path: str | Path, threshold: float = 0.0) -> None:
        """Write a list of {"file", "label", "box": [x1, y1, x2, y2], "score"}.

        Of a detector with masks each has `mask` too, an RLE as COCO has it.

        Raises:
            ValueError: `path` is a folder, or in none.
        """
        check_writable("path", path)
        kept = self.boxes[self.boxes["score"] >= threshold]
        rows = zip(
            kept["file"],
            kept["label"],
            kept[BOX].to_numpy().tolist(),
            kept["score"].tolist(),
            strict=True,
        )
        names = ("file", "label", "box", "score")
        found: list[dict[str, Any]] = [
            dict(zip(names, row, strict=True)) for row in rows
        ]
        if "mask" in kept:
            for row, mask in zip(found, kept["mask"], strict=True):
                row["mask"] = mask
        write_json(path, found)

    def to_csv(self, path: str | Path, threshold: float = 0.0) -> None:
        """Write boxes of at least this score as CSV, whole or not at all.

        Raises:
            ValueError: `path` is a folder, or in none.
        """
        check_writable("path", path)
        kept = self.boxes[self.boxes["score"] >= threshold]
        kept = kept.drop(columns="mask", errors="ignore")
        write_text(path, kept.to_csv(index=False))

    def drawn(self, file: str, threshold: float) -> np.ndarray:
        """A photo with the answers of at least this score, RGB uint8."""
        rows = self.boxes[self.boxes["file"] == file]
        rows = rows[rows["score"] >= threshold][::-1]  # the best on top
        names = [f"{row.label} {row.score:.2f}" for row in rows.itertuples()]
        classes = pd.Index(self.class_names).get_indexer(rows["label"])
        photo = read_image(self.root / file, max_pixels=self.max_pixels)
        if "mask" in rows:
            masks = [as_pixels(mask, photo.shape[:2]) for mask in rows["mask"]]
            photo = with_masks(photo, masks, classes)
        return with_boxes(photo, rows[BOX].to_numpy(), names, classes)

    def save_pictures(self, folder: str | Path, threshold: float) -> None:
        """Write `folder/<photo>.jpg` of each photo with its boxes.

        Raises:
            ValueError: `folder` cannot be made, or holds one of the photos.
        """
        from matplotlib.image import imsave

        place = make_pictures_folder(folder, self.photos.index, self.root)
        for file, path in picture_paths(place, self.photos.index, ".jpg").items():
            imsave(path, self.drawn(file, threshold))


def make_pictures_folder(
    folder: str | Path, photos: str | Path | Iterable[str | Path], root: str | Path = ""
) -> Path:
    """Make a folder for drawn copies of photos, in which none can replace a photo.

    Args:
        folder: to be made, unless it is there.
        photos: as `Detector.predict` takes them.
        root: folder that they are relative to.

    Raises:
        ValueError: `folder` cannot be made, or holds one of the photos.
    """
    place = Path(folder).resolve()
    paths = [Path(root) / file for file in photo_files(photos, Path(root))]
    if held := [
        str(path)
        for path in paths
        # A link may lie there, or what it leads to.
        if path.parent.resolve().is_relative_to(place)
        or path.resolve().is_relative_to(place)
    ]:
        raise ValueError(
            "`folder` must hold none of the photos, which drawn ones might replace. "
            f"Received: folder={str(folder)!r} with {first_few(held)}. Take a new one."
        )
    return make_writable_folder("folder", folder)


def picture_paths(folder: Path, files: Iterable[str], suffix: str) -> dict[str, Path]:
    """Where in `folder` drawn copies of photos go; of equal names one is `name-2`."""
    paths: dict[str, Path] = {}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for file in files:
        name = stem = Path(file).stem
        while name.lower() in taken:  # on some disks A.jpg is a.jpg
            numbers[stem] = numbers.get(stem, 1) + 1
            name = f"{stem}-{numbers[stem]}"
        taken.add(name.lower())
        paths[file] = folder / f"{name}{suffix}"
    return paths


def photo_files(photos: str | Path | Iterable[str | Path], root: Path) -> list[str]:
    """The files that are meant, a folder standing for all photos below it."""
    files = []
    for name in [photos] if isinstance(photos, (str, os.PathLike)) else photos:
        if (root / name).is_dir():
            files += [str(Path(name) / file) for file in list_images(root / name)[0]]
        else:
            files.append(str(name))
    return list(dict.fromkeys(files))  # a photo may be named, and its folder too
