"""Which form the boxes below a folder have, found by looking."""

from pathlib import Path

from kerasdl._checks import check_directory
from kerasdl._names import print_line

from ..annotations import Annotations
from ._photo_files import visible
from .coco import has_coco, read_coco
from .table import read_table
from .voc import read_voc, voc_files
from .yolo import HEADS, read_yolo


def read_annotations(path: str | Path) -> Annotations:
    """Read photos and boxes below `path`, whatever their form; a line says which.

    YOLO by its `data.yaml` or `classes.txt`, COCO by JSON files, Pascal VOC by XML
    files of an `annotation`, a table by the one CSV file in `path`. Of two forms the
    first of these is read, and a line says that the other is not.

    Raises:
        ValueError: there is no such folder, it holds none of these, or the reader of
            what it holds has refused it.
    """
    root = check_directory("path", path)
    tables = sorted(root.glob("*.csv"))
    has_xml = next(voc_files(root), None) is not None
    if any((root / name).is_file() for name in HEADS):
        form, found = "YOLO", read_yolo(root)
    elif has_xml and not has_coco(root):
        form, found = "Pascal VOC", read_voc(root)
    elif next(visible(root, "*.json"), None):
        form, found = "COCO", read_coco(root)
        if has_xml:
            print_line(f"{root}: its XML files are not used, as there are COCO's")
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
