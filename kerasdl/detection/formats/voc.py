"""Pascal VOC: an XML file for each photo, splits as lists of names.

Corners are pixels counted from 1, both inside the box: on edges counted from 0, `xmin`
and `ymin` are one less and `xmax` and `ymax` stay.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from kerasdl._atomic import write_text
from kerasdl._checks import check_directory
from kerasdl._names import print_line
from kerasdl.data import split_role

from ..annotations import BOX, FLAGS, Annotations
from ._photo_files import PhotoFiles, files_beside, folder_role, visible
from ._text import lines_of

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
# ValueError and LookupError are of encodings that expat does not read.
_DAMAGED = (ElementTree.ParseError, ValueError, LookupError)


def read_voc(path: str | Path) -> Annotations:
    """Read a folder in the form of Pascal VOC, or of one that LabelImg wrote.

    XML files of an `annotation` lie in `Annotations`, or anywhere below `path`; the
    photo of one has its name, wherever below `path`. Splits are those of
    `ImageSets/Main`, `trainval` where there is no `train`, or of the folders' names.

    Raises:
        ValueError: there is no such folder or no XML file, one is damaged, or two
            belong to one photo, or one to two.

    Reference:
        http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html
    """
    root = check_directory("path", path)
    files = voc_files(root)
    if not files:
        raise ValueError(
            "`path` must hold XML files of an `annotation`. Received: "
            f"path={str(path)!r} (0 of them)"
        )
    return of_xml_files(root, files)


def of_xml_files(root: Path, files: Sequence[Path]) -> Annotations:
    """`read_voc` of these `files`, as `voc_files` finds them."""
    listed, splits = PhotoFiles(root), _splits(root / "ImageSets" / "Main")
    photos, boxes = {}, []
    for file in files:
        size, objects, suffix = _parse(file)
        split = splits.get(file.stem) or folder_role(file.relative_to(root).as_posix())
        photo = listed.claim(f"{file.stem}{suffix}", file, split)
        photos[photo] = {**size, "split": split or folder_role(photo)}
        boxes += [{"file": photo, **found} for found in objects]
    if rest := len(listed.files) - sum(file in photos for file in listed.files):
        print_line(f"{root}: {rest} photos without an XML file are not used")
    return Annotations.of(root, None, photos, boxes)


def voc_files(root: Path) -> list[Path]:
    """XML files of an `annotation`: those in `Annotations`, else all below `root`."""
    return list(_of_annotations(root / "Annotations")) or list(_of_annotations(root))


def _of_annotations(root: Path) -> Iterator[Path]:
    """XML files below `root` that are of an `annotation`, or too damaged to say."""
    for file in visible(root, "*.xml"):
        try:
            with file.open("rb") as opened:
                _, first = next(ElementTree.iterparse(opened, ("start",)))
        except (*_DAMAGED, StopIteration):
            yield file
        else:
            if first.tag == "annotation":
                yield file


def write_voc(annotations: Annotations, path: str | Path) -> None:
    """Write `path/<photo's path>.xml` for each photo; photos are not copied.

    Raises:
        ValueError: `path` is no folder, a photo lies outside the annotations' root, or
            two are alike but for their suffixes.
    """
    folder = check_directory("path", path)
    targets = files_beside(
        annotations, lambda file: folder / Path(file).with_suffix(".xml")
    )
    boxes = dict(list(annotations.boxes.groupby("file")))
    for file, photo in annotations.photos.iterrows():
        root = ElementTree.Element("annotation")
        _add(root, "filename", Path(file).name)
        size = ElementTree.SubElement(root, "size")
        for name, value in (*photo[["width", "height"]].items(), ("depth", 3)):
            _add(size, name, value)
        for _, box in boxes.get(file, annotations.boxes[:0]).iterrows():
            _add_object(root, box)
        ElementTree.indent(root)
        targets[file].parent.mkdir(parents=True, exist_ok=True)
        write_text(targets[file], ElementTree.tostring(root, "unicode") + "\n")


def _parse(file: Path) -> tuple[dict[str, int], list[dict[str, Any]], str]:
    """Height and width, the objects, and the photo's suffix, of an XML file."""
    try:
        tree = ElementTree.parse(file).getroot()
        size = {
            name: int(float(tree.findtext(f"size/{name}") or 0))
            for name in ("height", "width")
        }
        name = (tree.findtext("filename") or file.name).strip()
        objects = [_object(found) for found in tree.iter("object")]
        return size, objects, PurePosixPath(name).suffix or file.suffix
    except (*_DAMAGED, TypeError, OverflowError) as error:
        raise ValueError(
            "An XML file must be one of Pascal VOC, with numbers in each `bndbox`. "
            f"Received: {str(file)!r} ({error})"
        ) from error


def _object(found: ElementTree.Element) -> dict[str, Any]:
    corners = [float(found.findtext(f"bndbox/{name}") or "") for name in _CORNERS]
    moved = [corners[0] - 1, corners[1] - 1, corners[2], corners[3]]
    flags = {name: (found.findtext(name) or "0").strip() == "1" for name in FLAGS}
    label = (found.findtext("name") or "").strip()
    return {"label": label, **dict(zip(BOX, moved, strict=True)), **flags}


def _splits(folder: Path) -> dict[str, str]:
    """The split of each name in the lists of `folder`, but those of one class."""
    lists = {file.stem: file for file in sorted(folder.glob("*.txt"))}
    roles = {name: split_role(name) for name in lists if "_" not in name}
    if "train" in roles:
        roles.pop("trainval", None)
    return {
        line: role
        for name, role in roles.items()
        if role
        for line in lines_of(lists[name])
    }


def _add_object(root: ElementTree.Element, box: pd.Series) -> None:
    found = ElementTree.SubElement(root, "object")
    _add(found, "name", box["label"])
    for name in FLAGS:
        _add(found, name, int(box[name]))
    corners = ElementTree.SubElement(found, "bndbox")
    for place, name in enumerate(_CORNERS):
        value = box[BOX[place]] + (place < 2)
        _add(corners, name, f"{value:.10g}")


def _add(parent: ElementTree.Element, name: str, value: object) -> None:
    ElementTree.SubElement(parent, name).text = str(value)
