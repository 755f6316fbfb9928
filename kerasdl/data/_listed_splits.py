"""Splits of photos that a table or their names label."""

import os
from pathlib import Path

from kerasdl._checks import check_directory, first_few
from kerasdl._seeds import resolve_seed

from ._folder_splits import unlabelled
from ._label_modes import print_classes
from ._photo_list import HeldOut, PhotoList, at_most, split_photos


def split_listed(
    photos: PhotoList,
    class_names: list[str],
    valid: HeldOut,
    test: str | Path | float | None,
    max_train: int | None,
    seed: int | None,
) -> tuple[dict[str, PhotoList], int]:
    """Splits of photos that are listed with their labels, and the seed of the draw.

    Args:
        photos: all of them.
        class_names: in the order of their labels.
        valid: a share, or as `held_out` gives it.
        test: share, or folder of photos without labels, for a test; or None.
        max_train: at most so many for training.
        seed: of the draw; None draws one.

    Raises:
        ValueError: an argument outside its range, or a test folder that holds some of
            `photos`.
    """
    seed = resolve_seed(seed)
    is_folder = isinstance(test, (str, Path))
    share = None if is_folder else test
    splits = split_photos(photos, class_names, valid, share, seed)
    splits["train"] = at_most(max_train, splits["train"], seed)
    if is_folder:
        splits["test"] = unlabelled(check_directory("test", test))
        _check_apart(photos, splits["test"], test)
    print_classes(class_names)
    return splits, seed


def _check_apart(photos: PhotoList, others: PhotoList, test: str | Path) -> None:
    """Raise ValueError if a photo to answer for is one that has a label."""
    labelled = {os.path.realpath(str(path)) for path in photos.pictures}
    shared = [
        file
        for file, path in zip(others.files, others.pictures, strict=True)
        if os.path.realpath(str(path)) in labelled
    ]
    if shared:
        raise ValueError(
            "`test` must be a folder of photos without labels. Received: "
            f"test={str(test)!r}, which holds labelled ones: {first_few(shared)}"
        )
