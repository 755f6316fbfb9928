"""Folders of photos as splits: what `ImageData.from_folder` and `from_name` read."""

import re
from collections.abc import Collection
from pathlib import Path

import numpy as np

from kerasdl._checks import first_few

from ._listing import list_classes, list_images
from ._photo_list import PhotoList


def read_splits(
    root: Path, folders: dict[str, str | None], exclude: Collection[str]
) -> tuple[list[str], dict[str, PhotoList]]:
    """Class names, and the photos of each split that has a folder.

    A test folder without class folders holds photos without labels.

    Raises:
        ValueError: a missing folder, or splits with different classes.
    """
    for folder in filter(None, folders.values()):
        if not (root / folder).is_dir():
            raise ValueError(
                f"`path` must hold the folder {folder!r}. Received: "
                f"path={str(root)!r}. Split a folder that holds class folders alone "
                "with valid_fraction=."
            )
    class_names, splits = None, {}
    for split, folder in folders.items():
        if folder is None:
            continue
        if split == "test" and not any(map(Path.is_dir, (root / folder).iterdir())):
            photos = unlabelled(root / folder, exclude, f"{folder}/")
            splits[split] = photos
            continue
        names, files, labels = list_classes(root / folder)
        class_names = class_names or names
        if names != class_names:
            only_in_one = sorted(set(names) ^ set(class_names))
            raise ValueError(
                "`path` must hold the same classes in each split. Received: "
                f"path={str(root)!r} ({', '.join(only_in_one)} not in both "
                f"{folders['train']!r} and {folder!r})"
            )
        photos = PhotoList.below(root, [f"{folder}/{file}" for file in files], labels)
        splits[split] = photos.without(exclude, names, root / folder)
    return class_names, splits


def read_classes(
    root: Path, split_names: set[str], exclude: Collection[str]
) -> tuple[list[str], PhotoList]:
    """Class names and photos of a folder that holds class folders alone."""
    class_names, files, labels = list_classes(root)
    if found := split_names.intersection(class_names):
        raise ValueError(
            "`path` must hold class folders alone with `valid_fraction`. Received: "
            f"path={str(root)!r} (folder {min(found)!r}). Leave `valid_fraction` out, "
            "or pass the folder of the photos to split."
        )
    photos = PhotoList.below(root, files, labels)
    return class_names, photos.without(exclude, class_names, root)


def read_names(
    folder: Path, regex: str, exclude: Collection[str]
) -> tuple[list[str], PhotoList]:
    """Class names and photos of a folder, labelled by the first group of `regex`.

    Raises:
        ValueError: no images, a name that does not match, fewer than two classes.
    """
    try:
        pattern = re.compile(regex)
    except re.error as error:
        raise ValueError(
            f"`regex` must be a regular expression. Received: regex={regex!r} ({error})"
        ) from error
    if not pattern.groups:
        raise ValueError(
            "`regex` must have a group, which is the label, as in r'^(.+)_'. "
            f"Received: regex={regex!r}"
        )
    photos = unlabelled(folder, exclude)
    found = [pattern.search(file) for file in photos.files]
    other = [
        file
        for file, match in zip(photos.files, found, strict=True)
        if not (match and match[1])
    ]
    if other:
        raise ValueError(
            "`regex` must find a label in every file name. Received: "
            f"regex={regex!r}, not found in {first_few(other)}"
        )
    names = [match[1] for match in found]
    class_names = class_list("folder", names)
    return class_names, PhotoList(
        photos.files, photos.pictures, positions(names, class_names)
    )


def unlabelled(
    folder: Path, exclude: Collection[str] = (), prefix: str = ""
) -> PhotoList:
    """All photos below `folder`, without labels, named `prefix` and their path in it.

    Raises:
        ValueError: there is none.
    """
    images, _ = list_images(folder)
    exclude = set(exclude)
    kept = [image for image in images if f"{prefix}{image}" not in exclude]
    if not kept:
        raise ValueError(
            "A folder of photos must hold images that are not in `exclude`. "
            f"Received: {str(folder)!r} ({len(images)} images)."
        )
    names = [f"{prefix}{image}" for image in kept]
    return PhotoList(names, [folder / image for image in kept], None)


def class_list(name: str, labels: Collection[str]) -> list[str]:
    """The classes among `labels` in plain string order, as Keras has it (1, 10, 2).

    Raises:
        ValueError: they are fewer than two; `name` is the argument to blame.
    """
    classes = sorted(set(labels))
    if len(classes) < 2:
        raise ValueError(
            f"`{name}` must hold photos of at least two classes. "
            f"Received: {classes or 'none'}"
        )
    return classes


def positions(labels: Collection[str], class_names: list[str]) -> np.ndarray:
    """Class indices `(n,)` int64 of `labels`."""
    index = {name: number for number, name in enumerate(class_names)}
    return np.array([index[label] for label in labels], np.int64)
