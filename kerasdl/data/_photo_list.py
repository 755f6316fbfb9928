"""The photos of one split: names, where their pixels are, and labels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, Self

import numpy as np

from kerasdl._checks import check_positive_int
from kerasdl._names import as_text
from kerasdl.batches import multi_hot_parts, stratified_split


@dataclass(frozen=True, eq=False)
class PhotoList:
    """Photos in a fixed order.

    Attributes:
        files: names to show, relative to a folder, in UTF-8 whatever the bytes on disk;
            "0", "1", ... for arrays.
        pictures: an image file each, or its pixels, as `PhotoBatches` takes them.
        labels: class indices `(n,)` int64, multi-hot `(n, classes)` float32 where a
            photo may have several labels, or None.
    """

    files: list[str]
    pictures: list[Path | np.ndarray]
    labels: np.ndarray | None

    @classmethod
    def below(
        cls, folder: Path, files: Sequence[str], labels: np.ndarray | None
    ) -> Self:
        """Photos that are named relative to `folder`."""
        return cls(list(map(as_text, files)), [folder / file for file in files], labels)

    def __len__(self) -> int:
        return len(self.files)

    def take(self, rows: Sequence[int] | np.ndarray) -> Self:
        """The photos at `rows`, in their order."""
        labels = None if self.labels is None else self.labels[rows]
        return type(self)(
            [self.files[row] for row in rows],
            [self.pictures[row] for row in rows],
            labels,
        )

    def without(
        self, exclude: Collection[str], class_names: list[str], where: Path | str
    ) -> Self:
        """All but the files of `exclude`.

        Raises:
            ValueError: a class of `class_names` has no photo left.
        """
        exclude = set(exclude)
        rows = [row for row, file in enumerate(self.files) if file not in exclude]
        kept = self.take(np.array(rows, int))
        counts = label_counts(kept.labels, len(class_names))
        if not counts.all():
            raise ValueError(
                "Each class must have an image that is not in `exclude`. Received: "
                f"none of {class_names[counts.argmin()]!r} in {str(where)!r}"
            )
        return kept


def label_counts(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Number of photos with each label, `(num_classes,)` int64."""
    if labels.ndim == 2:
        return (labels > 0).sum(axis=0)
    return np.bincount(labels, minlength=num_classes)


def join(first: PhotoList, second: PhotoList) -> PhotoList:
    """The photos of `first`, then those of `second`."""
    return PhotoList(
        first.files + second.files,
        first.pictures + second.pictures,
        np.concatenate([first.labels, second.labels]),
    )


def split_photos(
    photos: PhotoList,
    class_names: list[str],
    valid_fraction: float,
    test_fraction: float | None,
    seed: int,
) -> dict[str, PhotoList]:
    """Draw "valid", and "test" unless its share is None; the rest is "train".

    Raises:
        ValueError: shares outside (0, 1) or of 1 and more together, or a class of too
            few photos.
    """
    check_fraction("valid_fraction", valid_fraction)
    splits = {}
    if test_fraction is not None:
        check_fraction("test", test_fraction)
        if valid_fraction + test_fraction >= 1:
            raise ValueError(
                "`valid_fraction` and `test` must be below 1 together. Received: "
                f"valid_fraction={valid_fraction!r}, test={test_fraction!r}"
            )
        rest, rows = _draw(photos, class_names, test_fraction, seed)
        splits["test"] = photos.take(rows)
        photos = photos.take(rest)
        valid_fraction = valid_fraction / (1 - test_fraction)
    rest, rows = _draw(photos, class_names, valid_fraction, seed)
    return {"train": photos.take(rest), "valid": photos.take(rows), **splits}


def at_most(limit: int | None, photos: PhotoList, seed: int) -> PhotoList:
    """Draw `limit` of the photos, the classes in proportion; None takes all.

    A larger limit draws the same and more of photos with one label.

    Raises:
        ValueError: `limit` is below the number of classes.
    """
    if limit is None:
        return photos
    return photos.take(drawn_rows("max_train", limit, photos.labels, seed))


def drawn_rows(name: str, limit: int, labels: np.ndarray, seed: int) -> np.ndarray:
    """Places of `limit` photos, sorted, the classes in proportion; all if fewer.

    With several labels a photo it may be somewhat fewer.

    Raises:
        ValueError: `limit`, the argument `name`, is below the number of classes of
            labels that are class indices.
    """
    check_positive_int(name, limit)
    if labels.ndim == 2:
        share = min(limit / len(labels), 1)
        parts = multi_hot_parts(labels, [share, 1 - share], seed)
        return np.flatnonzero(parts == 0)[:limit]
    classes = np.unique(labels)
    if limit < len(classes):
        raise ValueError(
            f"`{name}` must be at least the number of classes. "
            f"Received: {name}={limit} ({len(classes)} classes)"
        )
    rng = np.random.default_rng(seed)
    share = np.empty(len(labels))  # of its class that is drawn before each photo
    for label in classes:
        rows = np.flatnonzero(labels == label)
        share[rows] = rng.permutation(len(rows)) / len(rows)
    return np.sort(np.argsort(share, kind="stable")[:limit])


def check_fraction(name: str, fraction: Any) -> None:
    """Raise ValueError unless `fraction` is a number in (0, 1)."""
    if not isinstance(fraction, Real) or not 0 < fraction < 1:
        raise ValueError(
            f"`{name}` must be above 0 and below 1. Received: {name}={fraction!r:.60}"
        )


def _draw(
    photos: PhotoList, class_names: list[str], fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rest and of the `fraction`, both sorted."""
    if photos.labels.ndim == 1:
        names = np.array(class_names)[photos.labels]  # which an error then shows
        return stratified_split(names, fraction, seed=seed)
    parts = multi_hot_parts(photos.labels, [1 - fraction, fraction], seed)
    return np.flatnonzero(parts == 0), np.flatnonzero(parts == 1)
