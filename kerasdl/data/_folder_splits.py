"""Folders of photos as splits: what `ImageData.from_folder` and `from_name` read."""

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from kerasdl._checks import check_class_names, check_directory, first_few
from kerasdl._names import as_text, print_line

from ._listing import list_classes, list_each, list_images
from ._photo_list import PhotoList, check_said_once, held_out, join, split_photos
from ._split_names import SPLITS, find_splits, folder_tree


def split_folders(root: str | Path) -> dict[str, str]:
    """Find the splits among the folders of `root` by their usual names, and say so.

    Returns:
        By "train", "valid" and "test" the folder of each that is there, a POSIX path
        relative to `root`; empty if the folders of `root` are classes.

    Raises:
        ValueError: two folders for one split, neither of its plain name.
    """
    root = check_directory("path", root)
    images = list_images(root)[0]
    found = find_splits(images)
    folders = {}
    for split in SPLITS:
        named = [folder for folder, role in found.items() if role == split]
        named = [f for f in named if PurePosixPath(f).name == split] or named
        if len(named) > 1:
            raise ValueError(
                f"`path` must hold one folder for {split!r}. Received: "
                f"path={str(root)!r} ({' and '.join(map(repr, named))}). Rename one to "
                f"{split!r}."
            )
        if named:
            folders[split] = named[0]
    if any(split != folder for split, folder in folders.items()):
        taken = ", ".join(f"{split} is {f!r}" for split, f in folders.items())
        used = {PurePosixPath(folder).parts[0] for folder in found}
        others = sorted(folder_tree(images).keys() - used)
        left = f"; not taken: {first_few(others)}" if others else ""
        print_line(f"splits of {root}: {taken}{left}")
    return folders


def read_folder(
    root: Path,
    folders: dict[str, Any],
    valid_fraction: float | None,
    exclude: Collection[str],
    seed: int,
) -> tuple[list[str], dict[str, PhotoList]]:
    """Class names and splits of a folder; `ImageData.from_folder` says how.

    Args:
        root: holds splits or classes.
        folders: that were asked for, by split; for "valid" also None, or positions or
            names of photos.
        valid_fraction: share of the validation photos, if they are drawn.
        exclude: files to leave out.
        seed: of the draw.

    Raises:
        ValueError: a missing folder, splits with different classes, or what is for
            validation is said twice.
    """
    valid = folders["valid"]
    is_folder = isinstance(valid, (str, Path))
    if not is_folder:
        check_said_once(valid, valid_fraction)
    elif valid_fraction is None:
        return read_splits(root, _found(root, folders), exclude)
    usual = split_folders(root)
    if "valid" in usual and valid is not None:
        raise ValueError(
            "`path` must hold class folders alone, or no validation photos, with "
            f"`valid_fraction`, or photos in `valid`. Received: path={str(root)!r} "
            f"(folder {next(iter(usual.values()))!r}) beside {usual['valid']!r}. Leave "
            "them out, or pass the folder of the photos to split."
        )
    is_named = folders["train"] != "train" or folders["test"] is not None
    if usual or is_named:
        folders = _found(root, folders | {"valid": usual.get("valid")}, usual)
        class_names, splits = read_splits(root, folders, exclude)
        photos = splits.pop("train")
        if "valid" in splits:
            photos = join(photos, splits.pop("valid"))
    else:
        class_names, files, labels = list_classes(root)
        photos = PhotoList.below(root, files, labels)
        photos, splits = photos.without(exclude, class_names, root), {}
    held = valid_fraction if is_folder else held_out(photos, valid, exclude)
    return class_names, {
        **split_photos(photos, class_names, held, None, seed),
        **splits,
    }


def read_splits(
    root: Path, folders: dict[str, str | None], exclude: Collection[str]
) -> tuple[list[str], dict[str, PhotoList]]:
    """Class names, and the photos of each split that has a folder.

    A test folder without class folders holds photos without labels.

    Raises:
        ValueError: a missing folder, or splits with different classes.
    """
    given = {split: folder for split, folder in folders.items() if folder is not None}
    for folder in given.values():
        if not (root / folder).is_dir():
            raise ValueError(
                f"`path` must hold the folder {folder!r}. Received: "
                f"path={str(root)!r}. Split a folder that holds class folders alone "
                "with valid_fraction=0.2."
            )
    # One folder may serve for two splits, by its name or as a link.
    real = {split: (root / folder).resolve() for split, folder in given.items()}
    places = list(dict.fromkeys(real.values()))
    listed = dict(zip(places, list_each(places), strict=True))
    class_names: list[str] = []
    splits = {}
    for split, folder in given.items():
        images, _ = listed[real[split]]
        if split == "test" and not any("/" in image for image in images):
            splits[split] = unlabelled(root / folder, exclude, f"{folder}/", images)
            continue
        names, files, labels = list_classes(root / folder, images)
        class_names = class_names or names
        if names != class_names:
            only_in_one = sorted(set(names) ^ set(class_names))
            raise ValueError(
                "`path` must hold the same classes in each split. Received: "
                f"path={str(root)!r} ({', '.join(only_in_one)} not in both "
                f"{given['train']!r} and {folder!r})"
            )
        photos = PhotoList.below(root, [f"{folder}/{file}" for file in files], labels)
        splits[split] = photos.without(exclude, names, root / folder)
    return class_names, splits


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
    if splits := find_splits(photos.files):
        raise ValueError(
            "`folder` must hold photos of one set. Received: "
            f"folder={str(folder)!r}, whose folders are splits: "
            f"{' and '.join(map(repr, splits))}. Pass one of them, and `test=` for a "
            "test."
        )
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
    names = [match[1] for match in found if match]
    class_names = class_list("folder", names)
    return class_names, PhotoList(
        photos.files, photos.pictures, positions(names, class_names)
    )


def unlabelled(
    folder: Path,
    exclude: Collection[str] = (),
    prefix: str = "",
    images: Collection[str] | None = None,
) -> PhotoList:
    """All photos below `folder`, without labels, named `prefix` and their path in it.

    Args:
        folder: of the photos.
        exclude: names to leave out.
        prefix: of the names.
        images: as `list_images` gives them; None lists them.

    Raises:
        ValueError: there is none.
    """
    if images is None:
        images = list_images(folder)[0]
    exclude = set(exclude)
    named = {f"{prefix}{as_text(image)}": folder / image for image in images}
    named = {name: path for name, path in named.items() if name not in exclude}
    if not named:
        raise ValueError(
            "A folder of photos must hold images that are not in `exclude`. "
            f"Received: {str(folder)!r} ({len(images)} images)."
        )
    return PhotoList(list(named), list(named.values()), None)


def class_list(name: str, labels: Collection[str]) -> list[str]:
    """The classes among `labels` in plain string order, as Keras has it (1, 10, 2).

    Raises:
        ValueError: they are fewer than two, or have names that files cannot hold;
            `name` is the argument to blame.
    """
    classes = sorted(set(labels))
    if len(classes) < 2:
        raise ValueError(
            f"`{name}` must hold photos of at least two classes. "
            f"Received: {classes or 'none'}"
        )
    check_class_names(name, classes)
    return classes


def positions(labels: Collection[str], class_names: list[str]) -> np.ndarray:
    """Class indices `(n,)` int64 of `labels`."""
    index = {name: number for number, name in enumerate(class_names)}
    return np.array([index[label] for label in labels], np.int64)


def _found(
    root: Path, folders: dict[str, str | None], usual: dict[str, str] | None = None
) -> dict[str, str | None]:
    """`folders`, but where one of a plain name is missing, what stands for it."""
    missing = [s for s, f in folders.items() if f == s and not (root / s).is_dir()]
    if not missing:
        return folders
    if usual is None:
        usual = split_folders(root)
    return folders | {split: usual[split] for split in missing if split in usual}
