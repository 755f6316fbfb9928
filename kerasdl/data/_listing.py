"""Image files below a folder, and the class folders that hold them."""

import os
from pathlib import Path

import numpy as np

from kerasdl._checks import check_directory

from ._decode import IMAGE_SUFFIXES


def list_images(directory: str | Path) -> tuple[list[str], list[str]]:
    """List every file below `directory`; links to folders are followed.

    Names that start with a dot are left out, folders and files. The order is
    Keras's: by folder, then by file name, both as plain strings.

    Returns:
        Images and other files, told apart by `IMAGE_SUFFIXES`, as POSIX paths
        relative to `directory`.

    Raises:
        OSError: a folder cannot be listed.
    """
    images, others = [], []
    folders = []
    for folder, subfolders, names in os.walk(
        directory, onerror=_stop, followlinks=True
    ):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        folders.append((folder, names))
    for folder, names in sorted(folders):
        relative = Path(folder).relative_to(directory)
        for name in sorted(names):
            if not name.startswith("."):
                is_image = name.lower().endswith(IMAGE_SUFFIXES)
                (images if is_image else others).append((relative / name).as_posix())
    return images, others


def list_classes(directory: str | Path) -> tuple[list[str], list[str], np.ndarray]:
    """List `directory/<class>/**/<image>`.

    Returns:
        The class names in plain string order, as Keras has it (1, 10, 2); the images
        as POSIX paths relative to `directory`, class after class, each in the order
        of `list_images`; their labels, int64, positions in the class names.

    Raises:
        ValueError: there is no such folder, it holds fewer than two class folders,
            or one of them holds no image.
    """
    directory = check_directory("directory", directory)
    class_names = sorted(
        entry.name
        for entry in directory.iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if len(class_names) < 2:
        found = f"1 folder: {class_names[0]!r}" if class_names else "0 folders"
        raise ValueError(
            "`directory` must hold at least two folders, one per class, each with "
            f"images. Received: directory={str(directory)!r} ({found})."
        )
    files, labels = [], []
    for label, class_name in enumerate(class_names):
        images, _ = list_images(directory / class_name)
        if not images:
            raise ValueError(
                "`directory` must hold one folder per class, each with images "
                f"({' '.join(IMAGE_SUFFIXES)}). Received: directory={str(directory)!r} "
                f"(no image in {class_name!r})."
            )
        files += [f"{class_name}/{image}" for image in images]
        labels += [label] * len(images)
    return class_names, files, np.array(labels, dtype=np.int64)


def _stop(error: OSError) -> None:
    """Raise what `os.walk` would pass over in silence: a folder that is not read."""
    raise error
