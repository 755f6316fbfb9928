"""YOLO: a text file for each photo, a line `class cx cy w h` in shares of its sides."""

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from kerasdl._atomic import write_text
from kerasdl._checks import check_directory
from kerasdl._optional import require
from kerasdl._parallel import map_ahead
from kerasdl.data import ImageError, image_size

from ..annotations import BOX, Annotations
from ._photo_files import PhotoFiles, check_names, folder_role

HEADS = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt")


def read_yolo(path: str | Path) -> Annotations:
    """Read a folder in the form of YOLO.

    Names of classes are those of `data.yaml`, or the lines of `classes.txt`. The labels
    of `images/train/1.jpg` are `labels/train/1.txt`; those of `1.jpg` may lie beside
    it, too. Splits have usual names in the photos' paths. A photo without such a file
    shows nothing. A line of more than five numbers is a polygon.

    Raises:
        ValueError: there is no such folder, no names, or a line is not of this form.
    """
    root = check_directory("path", path)
    heads = [root / name for name in HEADS if (root / name).is_file()]
    if not heads:
        raise ValueError(
            f"`path` must hold one of {', '.join(HEADS)}. Received: path={str(path)!r}"
        )
    names = _names(heads[0])
    listed = PhotoFiles(root).files
    photos, boxes = {}, []
    for file, size in zip(
        listed, map_ahead(lambda f: _size(root / f), listed), strict=True
    ):
        height, width = size
        photos[file] = {"split": folder_role(file), "height": height, "width": width}
        text = next((t for t in _label_files(root, file) if t.is_file()), None)
        if text is not None:
            boxes += [
                {"file": file, **_box(line, size, names, text)}
                for line in text.read_text(encoding="utf-8-sig").splitlines()
                if line.strip()
            ]
    return Annotations.of(root, names, photos, boxes)


def write_yolo(annotations: Annotations, path: str | Path) -> None:
    """Write `path/data.yaml` and `path/labels/<photo's path>.txt`; no photo is copied.

    Photos in a folder `images` have their labels beside that, as `read_yolo` finds
    them. Needs the size of each photo.

    Raises:
        ValueError: `path` is no folder, a photo lies outside the annotations' root, or
            is without size.
    """
    folder = check_directory("path", path)
    check_names(annotations)
    photos = annotations.photos
    if unknown := photos.index[(photos[["height", "width"]] == 0).any(axis=1)].tolist():
        raise ValueError(
            "`annotations` must have the size of each photo. Received: none of "
            f"{unknown[0]!r}"
        )
    lines = {file: [] for file in photos.index}
    for box, label in zip(
        annotations.boxes.itertuples(), annotations.labels(), strict=True
    ):
        width, height = photos.loc[box.file, ["width", "height"]]
        cx, w = (box.x1 + box.x2) / 2 / width, (box.x2 - box.x1) / width
        cy, h = (box.y1 + box.y2) / 2 / height, (box.y2 - box.y1) / height
        lines[box.file].append(f"{label} {cx:.8g} {cy:.8g} {w:.8g} {h:.8g}\n")
    for file, own in lines.items():
        target = next(_label_files(folder, file))
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, "".join(own))
    names = "".join(
        f"  {n}: {name!r}\n" for n, name in enumerate(annotations.class_names)
    )
    write_text(folder / "data.yaml", f"names:\n{names}")


def _label_files(root: Path, file: str) -> Any:
    """Where the labels of a photo may be."""
    photo = PurePosixPath(file).with_suffix(".txt")
    if "images" in photo.parts:
        place = len(photo.parts) - 1 - photo.parts[::-1].index("images")
        parts = (*photo.parts[:place], "labels", *photo.parts[place + 1 :])
        yield root.joinpath(*parts)
    else:
        yield root / "labels" / photo
    yield root / photo


def _names(head: Path) -> list[str]:
    text = head.read_text(encoding="utf-8-sig")
    if head.suffix == ".txt":
        return [line.strip() for line in text.splitlines() if line.strip()]
    yaml = require("yaml", "detection")
    try:
        names = yaml.safe_load(text)["names"]
        by_number = names if isinstance(names, dict) else dict(enumerate(names))
        return [str(by_number[number]) for number in range(len(by_number))]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(
            "`names` must be a list, or a name by each number from 0 on. Received: "
            f"{str(head)!r} ({error})"
        ) from error


def _size(path: Path) -> tuple[int, int]:
    try:
        return image_size(path)
    except ImageError:  # is named where it is to be read
        return 0, 0


def _box(
    line: str, size: tuple[int, int], names: list[str], file: Path
) -> dict[str, Any]:
    try:
        number, *values = map(float, line.split())
        if len(values) != 4 and (len(values) < 6 or len(values) % 2):
            raise ValueError(f"{len(values)} numbers")
    except ValueError as error:
        raise ValueError(
            "A line must be a class and four numbers, or a polygon of at least three "
            f"points. Received: {line!r} in {str(file)!r} ({error})"
        ) from error
    height, width = size
    mask = None
    if len(values) == 4:
        cx, cy, w, h = np.array(values) * [width, height, width, height]
        corners = cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2
    else:
        points = np.array(values).reshape(-1, 2) * [width, height]
        corners = *points.min(axis=0), *points.max(axis=0)
        mask = [points.ravel().tolist()]
    known = number.is_integer() and 0 <= number < len(names)
    label = names[int(number)] if known else f"class {number:g}"
    return {"label": label, **dict(zip(BOX, corners, strict=True)), "mask": mask}
