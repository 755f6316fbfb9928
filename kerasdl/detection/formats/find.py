"""Which form the boxes below a folder have, found by looking."""

from pathlib import Path

from kerasdl._checks import check_directory
from kerasdl._names import print_line

from ..annotations import Annotations
from ._photo_files import visible
from .coco import read_coco
from .table import read_table
from .voc import read_voc, voc_files
from .yolo import HEADS, read_yolo


def read_annotations(path: str | Path) -> Annotations:
    """Read photos and boxes below `path`, whatever their form; a line says which.

    YOLO by its `data.yaml` or `classes.txt`, Pascal VOC by XML files of an
    `annotation`, COCO by JSON files, a table by the one CSV file in `path`.

    Raises:
        ValueError: there is no such folder, it holds none of these, or the reader of
            what it holds has refused it.
    """
    root = check_directory("path", path)
    tables = sorted(root.glob("*.csv"))
    if any((root / name).is_file() for name in HEADS):
        form, found = "YOLO", read_yolo(root)
    elif next(voc_files(root), None):
        form, found = "Pascal VOC", read_voc(root)
    elif next(visible(root, "*.json"), None):
        form, found = "COCO", read_coco(root)
    elif len(tables) == 1:
        form, found = "a table", read_table(tables[0], root)
    else:
        raise ValueError(
            "`path` must hold data.yaml or classes.txt (YOLO), XML files (Pascal VOC), "
            f"JSON files (COCO), or one CSV file. Received: path={str(path)!r}"
        )
    print_line(
        f"{root}: {form}, {len(found.photos)} photos, {len(found.boxes)} boxes of "
        f"{len(found.class_names)} classes"
    )
    return found
