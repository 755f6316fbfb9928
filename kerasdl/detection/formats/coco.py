"""COCO: one JSON file for a split, boxes as x, y, width, height."""

import contextlib
import json
from pathlib import Path
from typing import Any

from kerasdl._atomic import write_json
from kerasdl._checks import check_directory
from kerasdl.data import split_role

from ..annotations import BOX, Annotations
from ..masks import mask_area
from ._photo_files import PhotoFiles, folder_role, visible

MASK, VOID = "segmentation", "void"
_PARTS = ("images", "annotations", "categories")


def read_coco(path: str | Path) -> Annotations:
    """Read a folder of photos with JSON files of COCO's "instances" form.

    Each file is a split, by the usual names in its own (`instances_val2017.json`) or in
    that of its folder (`valid/_annotations.coco.json`); of one that says none the
    folders of its photos do. Ids are numbers or texts, whichever; classes are in the
    order of their ids. Beside an annotation's `segmentation` may stand `void`, of the
    same form; see `Annotations`.

    Args:
        path: the folder, or one JSON file with photos beside or below it.

    Raises:
        ValueError: there is no such file, one is not of this form, an id is of two
            photos or classes, or two files name the same photo.

    Reference:
        https://cocodataset.org/#format-data
    """
    path = Path(path)
    root = path.parent if path.is_file() else check_directory("path", path)
    files = [path] if path.is_file() else list(visible(root, "*.json"))
    read = {file: _read(file, must=len(files) == 1) for file in files}
    read = {file: content for file, content in read.items() if content}
    # COCO's files of keypoints hold the same people again.
    of_boxes = {file: found for file, found in read.items() if not _has_points(found)}
    read = of_boxes or read
    if not read:
        raise ValueError(
            "`path` must hold JSON files with `images`, `annotations` and "
            f"`categories`. Received: path={str(path)!r}"
        )
    listed = PhotoFiles(root)
    names: dict[Any, str] = {}
    photos, boxes = {}, []
    for file, content in read.items():
        split = split_role(file.stem) or split_role(file.parent.name) or ""
        names = _named(file, content["categories"], names)
        by_id: dict[Any, str] = {}
        for image in content["images"]:
            number, name = _fields(image, ("id", "file_name"), "image", file)
            photo = listed.claim(str(name), file, split)
            if by_id.setdefault(number, photo) != photo:
                raise ValueError(
                    "Each image must have an `id` of its own. Received: "
                    f"{by_id[number]!r} and {photo!r} with id {number!r} in "
                    f"{str(file)!r}"
                )
            known = _size(image, file)
            photos[photo] = {**known, "split": split or folder_role(photo)}
        boxes += [_box(found, by_id, names, file) for found in content["annotations"]]
    ordered = [names[number] for number in sorted(names, key=_rank)]
    return Annotations.of(root, dict.fromkeys(ordered), photos, boxes)


def write_coco(annotations: Annotations, path: str | Path) -> None:
    """Write the JSON file `path` of `as_coco`; a mask is written as it was read."""
    write_json(path, as_coco(annotations))


def as_coco(annotations: Annotations) -> dict[str, Any]:
    """What COCO's JSON holds, for files and for measures; ids from 1 on.

    The `area` of an object is that of its mask, if it has one that can be read; without
    the extra `detection`, which reads them, it is that of its box.
    """
    photos, boxes = annotations.photos, annotations.boxes
    numbers = {file: number for number, file in enumerate(photos.index, 1)}
    sizes = {photo.Index: (photo.height, photo.width) for photo in photos.itertuples()}
    corners = boxes[BOX].to_numpy().tolist()
    found = []
    for number, (box, label, (x1, y1, x2, y2)) in enumerate(
        zip(boxes.itertuples(), annotations.labels(), corners, strict=True), 1
    ):
        found.append(
            {
                "id": number,
                "image_id": numbers[box.file],
                "category_id": int(label) + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": _area(box, sizes[box.file]),
                "iscrowd": int(box.crowd),
                **{
                    name: shape
                    for name, shape in ((MASK, box.mask), (VOID, box.void))
                    if shape is not None
                },
            }
        )
    return {
        "images": [
            {"id": numbers[p.Index], "file_name": p.Index}
            | {"height": int(p.height), "width": int(p.width)}
            for p in photos.itertuples()
        ],
        "annotations": found,
        "categories": [
            {"id": number, "name": name}
            for number, name in enumerate(annotations.class_names, 1)
        ],
    }


def _area(box: Any, size: tuple[int, int]) -> float:
    """Pixels of a mask; of the box without one that can be read."""
    if box.mask is not None and min(size) > 0:
        with contextlib.suppress(ImportError, ValueError):
            return mask_area(box.mask, size)
    return (box.x2 - box.x1) * (box.y2 - box.y1)


def _read(file: Path, must: bool) -> dict[str, Any] | None:
    """What `file` holds; None for another kind of JSON, unless it must be of this."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"A JSON file must be whole, in UTF-8. Received: {str(file)!r} ({error})"
        ) from error
    is_instances = isinstance(content, dict) and all(
        isinstance(content.get(part), list) for part in _PARTS
    )
    is_instances = is_instances and not any(
        isinstance(found, dict) and "segments_info" in found
        for found in content["annotations"][:1]
    )
    if must and not is_instances:
        raise ValueError(
            f"`path` must hold {', '.join(_PARTS)}. Received: {str(file)!r}"
        )
    return content if is_instances else None


def _has_points(content: dict[str, Any]) -> bool:
    found = [one for one in content["categories"] if isinstance(one, dict)]
    return any(one.get("keypoints") for one in found)


def _fields(found: Any, names: tuple[str, str], kind: str, file: Path) -> list[Any]:
    """What a JSON object must have: an id, and something else."""
    if (
        not isinstance(found, dict)
        or not set(names) <= found.keys()
        or not isinstance(found[names[0]], (int, float, str))
    ):
        raise ValueError(
            f"Each {kind} must have {' and '.join(f'`{name}`' for name in names)}, "
            "the first a number or a text. Received: "
            f"{found!r:.200} in {str(file)!r}"
        )
    return [found[name] for name in names]


def _size(image: dict[str, Any], file: Path) -> dict[str, int]:
    """Height and width, 0 where they are not said."""
    try:
        return {side: int(float(image.get(side) or 0)) for side in ("height", "width")}
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            "Each image must have numbers for `height` and `width`, if it has them. "
            f"Received: {image!r:.200} in {str(file)!r}"
        ) from error


def _named(file: Path, categories: list, names: dict[Any, str]) -> dict[Any, str]:
    """`names` by id, and those of another file; an id has one name in all of them."""
    known = dict(names)
    for found in categories:
        number, name = _fields(found, ("id", "name"), "category", file)
        if known.setdefault(number, str(name)) != str(name):
            raise ValueError(
                "The categories of all JSON files must be the same, each id of one. "
                f"Received: {known[number]!r} and {name!r} with id {number!r} in "
                f"{str(file)!r}"
            )
    return known


def _rank(number: float | str) -> tuple[bool, float, str]:
    """Where an id stands among others: numbers, texts of numbers too, before texts."""
    try:
        return False, float(number), ""
    except ValueError:
        return True, 0.0, str(number)


def _box(
    found: Any, photos: dict[Any, str], names: dict[Any, str], file: Path
) -> dict[str, Any]:
    image, corners = _fields(found, ("image_id", "bbox"), "annotation", file)
    number: Any = found.get("category_id")
    try:
        x, y, width, height = map(float, corners)
        photo, label = photos[image], names.get(number, f"category {number}")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            "Each annotation must have a `bbox` of four numbers and the `image_id` of "
            f"an image. Received: {str(file)!r} with id {found.get('id')!r}"
        ) from error
    return {
        "file": photo,
        "label": label,
        **dict(zip(BOX, (x, y, x + width, y + height), strict=True)),
        "crowd": found.get("iscrowd") in (1, "1"),
        "mask": found.get(MASK) or None,
        "void": found.get(VOID) or None,
    }
