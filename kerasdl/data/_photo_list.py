"""The photos of one split: names, where their pixels are, and labels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np

from kerasdl._checks import check_one_of, check_positive_int, first_few
from kerasdl._names import as_text
from kerasdl.batches import multi_hot_parts, stratified_split

# What is for validation: a share, names of photos, or None for nothing.
HeldOut = float | frozenset[str] | None


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

    @property
    def known_labels(self) -> np.ndarray:
        """The labels, where who asks knows that there are some."""
        return np.asarray(self.labels)

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
        counts = label_counts(kept.known_labels, len(class_names))
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
        np.concatenate([part.known_labels for part in (first, second)]),
    )


def held_out(
    photos: PhotoList, valid: Any, exclude: Collection[str] = ()
) -> frozenset[str] | None:
    """`valid`, of which positions and names become names of `photos`.

    Args:
        photos: those to train on and to hold out.
        valid: positions or names of photos; None for none.
        exclude: names that may be among `valid` and are to be left out.

    Raises:
        ValueError: `valid` is none of these, names a photo twice or one that is not
            there, or none.
    """
    if valid is None:
        return None
    asked = list(valid) if np.iterable(valid) else []
    if all(isinstance(one, str) for one in asked):
        names = {file: file for file in photos.files} | {n: n for n in exclude}
    elif all(isinstance(one, Integral) and type(one) is not bool for one in asked):
        names = dict(enumerate(photos.files))
    else:
        asked = []
    if not asked or len(set(asked)) < len(asked):
        raise ValueError(
            "`valid` must be a list of positions or names of photos, each once. "
            f"Received: valid={valid!r:.100}"
        )
    if unknown := [one for one in asked if one not in names]:
        raise ValueError(
            f"`valid` must be of the {len(photos)} photos there are. Received: "
            f"{first_few(unknown)}"
        )
    return frozenset(names[one] for one in asked).difference(exclude)


def check_said_once(valid: Any, valid_fraction: float | None) -> None:
    """Raise ValueError if there is a share beside a `valid` that needs none."""
    if valid_fraction is not None:
        raise ValueError(
            "`valid_fraction` must be None where `valid` is photos, or None. Received: "
            f"valid_fraction={valid_fraction!r}, valid={valid!r:.60}"
        )


def drawn_share(valid: Any, valid_fraction: float | None) -> float | None:
    """The share to draw where `valid` is "drawn"; else None.

    Raises:
        ValueError: it is another text, or the share is outside (0, 1) or not for it.
    """
    if not isinstance(valid, str):
        check_said_once(valid, valid_fraction)
        return None
    check_one_of("valid", valid, ("drawn",))
    share = 0.2 if valid_fraction is None else valid_fraction
    return check_fraction("valid_fraction", share)


def split_photos(
    photos: PhotoList,
    class_names: list[str],
    valid: HeldOut,
    test_fraction: float | None,
    seed: int,
) -> dict[str, PhotoList]:
    """Hold out "valid", and "test" unless its share is None; the rest is "train".

    Args:
        photos: all of them.
        class_names: in the order of their labels.
        valid: as `held_out` gives it; or a share, which is drawn of each class.
        test_fraction: share that is drawn of those not named in `valid`; or None.
        seed: of the draws.

    Raises:
        ValueError: shares outside (0, 1) or of 1 and more together, a class of too few
            photos, or none left to train on, of a class or at all.
    """
    named, test, share = None, None, 0.0
    if isinstance(valid, frozenset):
        is_named = np.array([file in valid for file in photos.files])
        if is_named.all() or not is_named.any():
            raise ValueError(
                "`valid` must leave photos to train on and to validate with. Received: "
                f"{is_named.sum()} of {len(photos)} photos"
            )
        named = photos.take(np.flatnonzero(is_named))
        photos = photos.take(np.flatnonzero(~is_named))
        held, left = (
            label_counts(part.known_labels, len(class_names))
            for part in (named, photos)
        )
        if (lost := (held > 0) & (left == 0)).any():
            raise ValueError(
                "`valid` must leave photos of each class to train on. Received: all "
                f"{held[lost.argmax()]} of {class_names[lost.argmax()]!r}"
            )
    elif valid is not None:
        check_fraction("valid_fraction", valid)
        share = valid
    if test_fraction is not None:
        check_fraction("test", test_fraction)
        if share + test_fraction >= 1:
            raise ValueError(
                "`valid_fraction` and `test` must be below 1 together. Received: "
                f"valid_fraction={share!r}, test={test_fraction!r}"
            )
        rest, rows = _draw(photos, class_names, test_fraction, seed)
        photos, test = photos.take(rest), photos.take(rows)
        share = share / (1 - test_fraction)
    if share:
        rest, rows = _draw(photos, class_names, share, seed)
        photos, named = photos.take(rest), photos.take(rows)
    splits = {"train": photos, "valid": named, "test": test}
    return {split: part for split, part in splits.items() if part is not None}


def at_most(limit: int | None, photos: PhotoList, seed: int) -> PhotoList:
    """Draw `limit` of the photos, the classes in proportion; None takes all.

    A larger limit draws the same and more of photos with one label.

    Raises:
        ValueError: `limit` is below the number of classes.
    """
    if limit is None:
        return photos
    return photos.take(drawn_rows("max_train", limit, photos.known_labels, seed))


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


def check_fraction(name: str, fraction: Any) -> float:
    """Return `fraction`; raise ValueError unless it is a number in (0, 1)."""
    if not isinstance(fraction, Real) or not 0 < float(fraction) < 1:
        raise ValueError(
            f"`{name}` must be above 0 and below 1. Received: {name}={fraction!r:.60}"
        )
    return float(fraction)


def _draw(
    photos: PhotoList, class_names: list[str], fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rest and of the `fraction`, both sorted."""
    labels = photos.known_labels
    if labels.ndim == 1:
        names = np.array(class_names)[labels]  # which an error then shows
        return stratified_split(names, fraction, seed=seed)
    parts = multi_hot_parts(labels, [1 - fraction, fraction], seed)
    return np.flatnonzero(parts == 0), np.flatnonzero(parts == 1)
