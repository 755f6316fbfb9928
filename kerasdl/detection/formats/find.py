"""Which form the boxes below a folder have, found by looking."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kerasdl._checks import check_directory, first_few
from kerasdl._names import print_line

from ..annotations import Annotations
from ._photo_files import visible
from .coco import read_coco
from .table import read_table
from .voc import of_xml_files, voc_files
from .yolo import HEADS, read_yolo


def read_annotations(path: str | Path) -> Annotations:
    """Read photos and boxes below `path`, whatever their form; a line says which.

    YOLO by its `data.yaml` or `classes.txt`, COCO by JSON files, Pascal VOC by XML
    files of an `annotation`, a table by the one CSV file in `path`. Of several forms
    the first of these is read; but YOLO beside XML files only if it has boxes, and COCO
    beside them only if it can be read and names every photo that they name. A line says
    which of both are not used.

    Raises:
        ValueError: there is no such folder, it holds none of these, or the reader of
            what it holds has refused it.
    """
    root = check_directory("path", path)
    tables, xml_files = sorted(root.glob("*.csv")), voc_files(root)
    yolo = read_yolo(root) if any((root / h).is_file() for h in HEADS) else None
    if yolo and not len(yolo.boxes) and xml_files:  # as LabelImg leaves classes.txt
        print_line(f"{root}: its names of YOLO are not used: no photo has boxes")
        yolo = None
    if yolo:
        form, found = "YOLO", yolo
    elif xml_files and _has_json(root):
        form, found = _coco_or_voc(root, xml_files)
    elif xml_files:
        form, found = "Pascal VOC", of_xml_files(root, xml_files)
    elif _has_json(root):
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


def _coco_or_voc(root: Path, xml_files: Sequence[Path]) -> tuple[str, Annotations]:
    """COCO, which may hold masks, where it is of all photos of the XML files."""
    try:
        found = read_coco(root)
    except ValueError as error:
        why = str(error)
    else:
        named = Counter(Path(photo).stem for photo in found.photos.index)
        lacking = Counter(file.stem for file in xml_files) - named
        if not lacking:
            print_line(f"{root}: its XML files are not used, as there are COCO's")
            return "COCO", found
        why = f"the XML files name photos that they do not: {first_few(lacking)}"
    print_line(f"{root}: its JSON files are not used: {why}")
    return "Pascal VOC", of_xml_files(root, xml_files)


def _has_json(root: Path) -> bool:
    return next(visible(root, "*.json"), None) is not None
