"""The book's small data set: a few thousand images taken from a large folder."""

import os
import re
import shutil
from pathlib import Path

import numpy as np

from kerasdl._atomic_folder import claimed, new_folder
from kerasdl._checks import (
    check_class_names,
    check_directory,
    check_one_of,
    check_positive_int,
)
from kerasdl._names import print_line
from kerasdl._seeds import resolve_seed

from ._listing import list_classes, list_images


def make_subset(
    source: str | Path,
    target: str | Path,
    train: int = 1000,
    valid: int = 500,
    test: int = 500,
    order: str = "name",
    link: bool = False,
    *,
    seed: int | None = None,
) -> Path:
    """Write `target/train|valid|test/<class>/<image>` from a larger folder.

    The defaults make `cats_and_dogs_small` of Chollet, "Deep Learning with Python",
    from the flat folder `train` of Kaggle's Dogs vs. Cats: images 0 to 999 of each
    class, 1000 to 1499 and 1500 to 1999. The counts are printed. `target` appears whole
    or not at all: it is built beside, then renamed.

    Args:
        source: a flat folder of `cat.123.jpg`, where the class is the part before the
            first dot, or one folder per class.
        target: a folder that does not exist yet.
        train: images of each class in `target/train`, at least 1.
        valid: the same for `target/valid`; 0 leaves the folder out.
        test: the same for `target/test`; 0 leaves the folder out.
        order: "name" takes the first images, numbers in names compared as numbers
            (`cat.2` before `cat.10`); "random" draws them by `seed`.
        link: make symbolic links to the images, which must then stay where they are;
            otherwise copies.
        seed: repeats the draw of `order="random"`; None draws one and prints it.

    Returns:
        `target`.

    Raises:
        ValueError: an argument is out of range, `source` holds too few images of a
            class, or `target` exists or is at work. Nothing has been written.

    Example:
        ```
        kd.data.make_subset("photos/train", "fewer", train=3, valid=1, test=1, seed=1)
        ```
    """
    source = check_directory("source", source)
    check_positive_int("train", train)
    for name, value in (("valid", valid), ("test", test)):
        if value != 0:
            check_positive_int(name, value)
    check_one_of("order", order, ("name", "random"))
    target = Path(target)
    _check_missing(target)
    images = _images_by_class(source)
    check_class_names("source", images)
    _check_enough(images, train + valid + test, source)

    if order == "random":
        generator = np.random.default_rng(resolve_seed(seed))
        for files in images.values():
            generator.shuffle(files)
    place = _link if link else shutil.copy2
    counts = {"train": train, "valid": valid, "test": test}
    with claimed(target, "target"):
        _check_missing(target)  # another process may have been first
        with new_folder(target) as beside:
            start = 0
            for split, count in counts.items():
                for name, files in images.items():
                    for file in files[start : start + count]:
                        copy = beside / split / name / file.removeprefix(f"{name}/")
                        copy.parent.mkdir(parents=True, exist_ok=True)
                        place(source / file, copy)
                start += count
    print_line(
        f"{target}: {train} training, {valid} validation and {test} test images of "
        f"each of {len(images)} classes ({', '.join(images)})"
    )
    return target


def _check_missing(target: Path) -> None:
    if os.path.lexists(target):
        raise ValueError(
            "`target` must not exist yet. Received: "
            f"target={str(target)!r}. Remove it or choose another name."
        )


def _images_by_class(source: Path) -> dict[str, list[str]]:
    """Return by class its images relative to `source`, in natural order."""
    names = [name for name in list_images(source)[0] if "/" not in name]
    if names:
        for name in names:
            if name.count(".") < 2:
                raise ValueError(
                    "`source` must hold images named like 'cat.123.jpg', or one folder "
                    f"per class. Received: source={str(source)!r} (file {name!r})."
                )
        labelled = [(name.split(".")[0], name) for name in names]
    else:
        _, files, _ = list_classes(source)
        labelled = [(file.split("/")[0], file) for file in files]
    images: dict[str, list[str]] = {}
    for class_name, file in sorted(labelled, key=lambda pair: _natural(pair[1])):
        images.setdefault(class_name, []).append(file)
    return dict(sorted(images.items()))


def _check_enough(images: dict[str, list[str]], wanted: int, source: Path) -> None:
    if len(images) < 2 or min(map(len, images.values())) < wanted:
        found = ", ".join(f"{len(files)} of {name!r}" for name, files in images.items())
        raise ValueError(
            f"`source` must hold at least two classes and {wanted} images of each (the "
            "sum of `train`, `valid` and `test`). Received: "
            f"source={str(source)!r} ({found})."
        )


def _natural(name: str) -> list[str | int]:
    """Sort key that compares the numbers in names as numbers: cat.2 before cat.10."""
    return [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", name)]


def _link(source: Path, copy: Path) -> None:
    copy.symlink_to(source.resolve())
