"""Image files below a folder, and the class folders that hold them."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from kerasdl._checks import check_class_names, check_directory, first_few
from kerasdl._names import print_line

from ._decode import IMAGE_SUFFIXES
from ._split_names import find_splits, folder_tree
from ._walk import Folders, is_hidden, walk

# Folders of work, which may lie beside class folders; without images they are none.
_OF_WORK = frozenset(
    {
        "cache",
        "caches",
        "checkpoint",
        "checkpoints",
        "export",
        "exports",
        "log",
        "logs",
        "model",
        "models",
        "output",
        "outputs",
        "result",
        "results",
        "runs",
        "sample",
        "samples",
        "saved_models",
        "scripts",
        "temp",
        "tmp",
        "weights",
    }
)
# What may lie beside one folder of photos, and what that is called then.
_OF_LABELS = frozenset({"annotation", "annotations", "labels", "mask", "masks"})
_OF_PHOTOS = frozenset({"image", "images", "img", "imgs", "photo", "photos"})


def list_images(directory: str | Path) -> tuple[list[str], list[str]]:
    """List every file below `directory`; links to folders are followed.

    Each real folder is listed once, whatever links lead to it. Names that start with a
    dot are left out, folders and files. The order is Keras's: by folder, then by file
    name, both as plain strings.

    Returns:
        Images and other files, told apart by `IMAGE_SUFFIXES`, as POSIX paths
        relative to `directory`.

    Raises:
        OSError: a folder cannot be listed.
    """
    return list_each([directory])[0]


def list_each(directories: Sequence[str | Path]) -> list[tuple[list[str], list[str]]]:
    """`list_images` of each; a folder that links lead to is listed for one alone."""
    return [
        _images(folders, directory)
        for folders, directory in zip(walk(directories), directories, strict=True)
    ]


def list_classes(
    directory: str | Path, images: Collection[str] | None = None
) -> tuple[list[str], list[str], np.ndarray]:
    """List `directory/<class>/**/<image>`.

    Args:
        directory: holds one folder per class.
        images: as `list_images` gives them; None lists them.

    Returns:
        The class names in plain string order, as Keras has it (1, 10, 2); the images
        as POSIX paths relative to `directory`, class after class, each in the order
        of `list_images`; their labels, int64, positions in the class names.

    Raises:
        ValueError: there is no such folder, it holds fewer than two class folders,
            one of them holds no image, or they are splits.
    """
    directory = check_directory("directory", directory)
    if images is None:
        images = list_images(directory)[0]
    class_names = class_folders(directory, images)
    if len(class_names) < 2:
        found = f"1 folder: {class_names[0]!r}" if class_names else "0 folders"
        raise ValueError(
            "`directory` must hold at least two folders, one per class, each with "
            f"images. Received: directory={str(directory)!r} ({found}). Give "
            "the folder in which each class has one."
        )
    by_class: dict[str, list[str]] = {name: [] for name in class_names}
    for image in images:
        name, *below = image.split("/", 1)
        if below and name in by_class:
            by_class[name].append(image)
    files, labels = [], []
    for label, (name, own) in enumerate(by_class.items()):
        if not own:
            path = directory / name
            link = f", a link to {os.path.realpath(path)!r}" * path.is_symlink()
            raise ValueError(
                "`directory` must hold one folder per class, each with images of its "
                f"own ({' '.join(IMAGE_SUFFIXES)}). Received: "
                f"directory={str(directory)!r} (no image in {name!r}{link})."
            )
        files += own
        labels += [label] * len(own)
    return class_names, files, np.array(labels, dtype=np.int64)


def class_folders(directory: Path, images: Collection[str]) -> list[str]:
    """Names of the class folders of `directory`, sorted; says which folders are none.

    Hidden folders, those of systems, links to where they lie, and folders of work
    without images are none.

    Args:
        directory: holds them.
        images: below `directory`, as POSIX paths.

    Raises:
        ValueError: the folders are splits, or photos and their masks; or one of them
            holds the classes again, or has a name that is not one line of UTF-8.
    """
    if splits := find_splits(images):
        raise ValueError(
            "`directory` must hold one folder per class. Received: "
            f"directory={str(directory)!r}, whose folders are splits: "
            f"{_described(splits)}. Pass the folder of one of them; "
            "`ImageData.from_folder` takes all."
        )
    tree = folder_tree(images)
    class_names, others = [], {}
    for name in sorted(e.name for e in os.scandir(directory) if e.is_dir()):
        if is_hidden(name):
            others[name] = "hidden"
        elif name not in tree and _leads_back(directory / name):
            others[name] = "a link to a folder it lies in"
        elif name not in tree and name.lower() in _OF_WORK | _OF_LABELS:
            others[name] = "no images"
        else:
            class_names.append(name)
    lower = {name.lower() for name in class_names}
    if lower & _OF_PHOTOS and lower & _OF_LABELS and lower <= _OF_PHOTOS | _OF_LABELS:
        raise ValueError(
            "`directory` must hold one folder per class. Received: "
            f"directory={str(directory)!r}, whose folders are photos and their labels: "
            f"{first_few(class_names)}. Pass the folder of the photos."
        )
    for name in class_names:
        if len(again := sorted(tree.keys() & tree.get(name, {}).keys())) > 1:
            raise ValueError(
                "`directory` must hold each class once. Received: "
                f"directory={str(directory)!r} (folder {name!r}, which holds "
                f"{_quoted(again)} again). Move it away."
            )
    check_class_names("directory", class_names)
    if others:
        print_line(f"not taken for classes in {directory}: {_described(others)}")
    return class_names


def _images(folders: Folders, directory: str | Path) -> tuple[list[str], list[str]]:
    images, others = [], []
    for folder, names in folders:
        relative = Path(folder).relative_to(directory)
        for name in sorted(names):
            if not name.startswith("."):
                is_image = name.lower().endswith(IMAGE_SUFFIXES)
                (images if is_image else others).append((relative / name).as_posix())
    return images, others


def _leads_back(path: Path) -> bool:
    """Whether `path` is a link to a folder that it lies in."""
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _described(folders: dict[str, str]) -> str:
    return ", ".join(f"{name!r} ({what})" for name, what in folders.items())


def _quoted(names: list[str]) -> str:
    return " and ".join(map(repr, names[:2]))
