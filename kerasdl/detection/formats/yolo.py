"""YOLO: a text file for each photo, a line `class cx cy w h` in shares of its sides."""

import json
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from kerasdl._atomic import write_text
from kerasdl._checks import check_directory
from kerasdl._optional import require
from kerasdl._parallel import map_ahead
from kerasdl.data import ImageError, image_size

from ..annotations import BOX, Annotations
from ._photo_files import PhotoFiles, files_beside, folder_role
from ._text import lines_of, text_of

_KEYS = {"train": "train", "val": "valid", "valid": "valid", "test": "test"}
HEADS = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt")


def read_yolo(path: str | Path) -> Annotations:
    """Read a folder in the form of YOLO.

    Names of classes are those of `data.yaml`, as they are written there, or the lines
    of `classes.txt`. The labels of `images/train/1.jpg` are `labels/train/1.txt`; those
    of `1.jpg` may lie beside it, too. Splits are those of `data.yaml`, folders or lists
    of photos, one or several; of a photo that they do not name, or in several splits,
    the folders of its path say it. A photo without such a file shows nothing. A line of
    more than five numbers is a polygon, or with `kpt_shape` a box and points, which are
    passed over.

    Raises:
        ValueError: there is no such folder, no names, or a line is not of this form.
    """
    root = check_directory("path", path)
    heads = [root / name for name in HEADS if (root / name).is_file()]
    if not heads:
        raise ValueError(
            f"`path` must hold one of {', '.join(HEADS)}. Received: path={str(path)!r}"
        )
    names, said = _head(heads[0])
    listed = PhotoFiles(root)
    splits = _splits(said, listed)
    photos, boxes = {}, []
    for file, size in zip(
        listed.files, map_ahead(lambda f: _size(root / f), listed.files), strict=True
    ):
        height, width = size
        split = splits.get(file) or folder_role(file)
        photos[file] = {"split": split, "height": height, "width": width}
        text = next((t for t in _label_files(root, file) if t.is_file()), None)
        if text is not None:
            boxes += [
                {"file": file}
                | _box(line, size, names, text, has_points="kpt_shape" in said)
                for line in lines_of(text)
            ]
    return Annotations.of(root, names, photos, boxes)


def write_yolo(annotations: Annotations, path: str | Path) -> None:
    """Write `path/data.yaml` and `path/labels/<photo's path>.txt`; no photo is copied.

    Photos in a folder `images` have their labels beside that, as `read_yolo` finds
    them. Needs the size of each photo.

    Raises:
        ValueError: `path` is no folder, a photo lies outside the annotations' root, or
            is without size, or two are alike but for their suffixes.
    """
    folder = check_directory("path", path)
    targets = files_beside(annotations, lambda file: next(_label_files(folder, file)))
    photos = annotations.photos
    if unknown := photos.index[(photos[["height", "width"]] == 0).any(axis=1)].tolist():
        raise ValueError(
            "`annotations` must have the size of each photo. Received: none of "
            f"{unknown[0]!r}"
        )
    sizes = dict(zip(photos.index, photos[["width", "height"]].to_numpy(), strict=True))
    lines = {file: [] for file in photos.index}
    for box, label in zip(
        annotations.boxes.itertuples(), annotations.labels(), strict=True
    ):
        width, height = sizes[box.file]
        cx, w = (box.x1 + box.x2) / 2 / width, (box.x2 - box.x1) / width
        cy, h = (box.y1 + box.y2) / 2 / height, (box.y2 - box.y1) / height
        lines[box.file].append(f"{label} {cx:.8g} {cy:.8g} {w:.8g} {h:.8g}\n")
    for file, own in lines.items():
        targets[file].parent.mkdir(parents=True, exist_ok=True)
        write_text(targets[file], "".join(own))
    # A text of JSON is one of YAML, whatever signs it has.
    names = "".join(
        f"  {n}: {json.dumps(name, ensure_ascii=False)}\n"
        for n, name in enumerate(annotations.class_names)
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


def _head(head: Path) -> tuple[list[str], dict[str, Any]]:
    """The names of the classes, and all that `data.yaml` says, as texts."""
    if head.suffix == ".txt":
        return lines_of(head), {}
    yaml = require("yaml", "detection")
    try:
        # As texts: classes may be called 007, no or null.
        said = yaml.load(text_of(head), Loader=yaml.BaseLoader)
        names = said["names"]
        if isinstance(names, list):
            names = {str(number): name for number, name in enumerate(names)}
        ordered = [names[str(number)] for number in range(len(names))]
        if not all(isinstance(name, str) for name in ordered):
            raise TypeError("a name is no text")
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(
            "`names` must be a list, or a name by each number from 0 on. Received: "
            f"{str(head)!r} ({' '.join(str(error).split())})"
        ) from error
    return ordered, said


def _splits(said: dict[str, Any], listed: PhotoFiles) -> dict[str, str]:
    """The split of each photo that `data.yaml` names in one alone."""
    found: dict[str, set[str]] = defaultdict(set)
    for key, split in _KEYS.items():
        entries = said.get(key) or []
        for entry in [entries] if isinstance(entries, str) else entries:
            for file in _named(str(entry), str(said.get("path", "")), listed):
                found[file].add(split)
    return {file: splits.pop() for file, splits in found.items() if len(splits) == 1}


def _named(entry: str, base: str, listed: PhotoFiles) -> list[str]:
    """The photos of a folder or of a list that `data.yaml` names; none of another."""
    root = listed.root.resolve()
    path = PurePosixPath(entry.replace("\\", "/"))
    # Some tools write the paths as from a folder beside this one.
    inner = PurePosixPath(*(part for part in path.parts if part != ".."))
    for place in (root / base / path, root / path, root / inner):
        place = place.resolve()
        if not place.is_relative_to(root):
            continue
        if place.is_file():
            return [listed.find(line) for line in lines_of(place)]
        if place.is_dir():
            below = place.relative_to(root)
            return [f for f in listed.files if PurePosixPath(f).is_relative_to(below)]
    return []


def _size(path: Path) -> tuple[int, int]:
    try:
        return image_size(path)
    except ImageError:  # is named where it is to be read
        return 0, 0


def _box(
    line: str,
    size: tuple[int, int],
    names: list[str],
    file: Path,
    *,
    has_points: bool,
) -> dict[str, Any]:
    try:
        number, *values = map(float, line.split())
        values = values[:4] if has_points else values
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
