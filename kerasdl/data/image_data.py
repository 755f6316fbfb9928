"""The noun of the data pipeline: photos in splits, each file with its label."""

from collections.abc import Collection
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl import plots
from kerasdl._checks import check_directory, check_positive_int
from kerasdl._seeds import resolve_seed

from ._decode import read_image
from ._listing import list_classes
from ._stream import BatchStream
from ._warp import warp_image
from .augment import Augment
from .image_folder import PhotoBatches, encode_labels, print_classes
from .split import stratified_split


class ImageData:
    """Photos with labels in up to three splits, as files and as tf.data.

    `train` is shuffled and augmented, anew each pass; `valid` and `test` never are and
    keep the order of `files(split)`. All yield `(images, labels)`, images RGB float32
    in [0, 255], `(batch, height, width, 3)`.

    Build one with `ImageData.from_folder`.

    Attributes:
        root: folder that file names are relative to.
        class_names: names in the order of the labels.
        image_size: (height, width) in pixels.
        resize: "crop", "squash" or "pad".
        batch_size: images in a batch.
        augment: what `train` is augmented with.
        label_mode: "int", "binary", "categorical", or None for the default.
        on_error: "skip" or "raise".
        seed: of order and augmentation.
        train: tf.data of the training photos.
        valid: tf.data of the validation photos.
        test: tf.data of the test photos, or None.
    """

    def __init__(
        self,
        root: Path,
        class_names: list[str],
        splits: dict[str, tuple[list[str], np.ndarray]],
        image_size: int | tuple[int, int],
        batch_size: int,
        augment: str | Augment | None,
        resize: str,
        label_mode: str | None,
        on_error: str,
        seed: int,
    ) -> None:
        self.root = root
        self.class_names = class_names
        self.resize = resize
        self.batch_size = batch_size
        self.augment = augment
        self.label_mode = label_mode
        self.on_error = on_error
        self.seed = seed
        self._splits = splits
        self._photos = {
            split: PhotoBatches(
                self.paths(split),
                encode_labels(labels, len(class_names), label_mode),
                image_size,
                batch_size,
                resize,
                augment=augment if split == "train" else None,
                shuffle=split == "train",
                on_error=on_error,
                seed=seed,
            )
            for split, (_, labels) in splits.items()
        }
        self.image_size = self._photos["train"].image_size

    @classmethod
    def from_folder(
        cls,
        path: str | Path,
        train: str = "train",
        valid: str = "valid",
        test: str | None = None,
        valid_fraction: float | None = None,
        image_size: int | tuple[int, int] = 224,
        batch_size: int = 64,
        augment: str | Augment | None = None,
        resize: str = "crop",
        label_mode: str | None = None,
        *,
        on_error: str = "skip",
        exclude: Collection[str] = (),
        max_train: int | None = None,
        seed: int | None = None,
    ) -> "ImageData":
        """Read `path/<split>/<class>/<image>`, or `path/<class>/<image>` and split it.

        Args:
            path: folder of the splits; with `valid_fraction`, of the classes.
            train: name of the training folder.
            valid: name of the validation folder.
            test: name of the test folder; None for no test split.
            valid_fraction: share of each class, in (0, 1), that becomes the validation
                split of a folder that holds classes alone.
            image_size: one side or (height, width), in pixels.
            batch_size: images in a batch.
            augment: of the training photos, as in `image_folder`.
            resize: "crop", "squash" or "pad".
            label_mode: as in `image_folder`.
            on_error: "skip" or "raise", as in `image_folder`.
            exclude: file names relative to `path` to leave out, such as those that
                `inspect.check_images` found damaged.
            max_train: at most so many training photos, the classes in proportion.
            seed: of the split, the order and the augmentation; None draws one and
                prints it.

        Raises:
            ValueError: a missing folder, fewer than two classes, a class that is empty
                (or is so without `exclude`), splits with different classes, or an
                argument outside its range.
        """
        root = check_directory("path", path)
        if max_train is not None:
            check_positive_int("max_train", max_train)
        seed = resolve_seed(seed)
        if valid_fraction is None:
            folders = {"train": train, "valid": valid, "test": test}
            class_names, splits = _read_splits(root, folders, exclude)
        else:
            class_names, files, labels = _read_classes(root, {train, valid}, test)
            files, labels = _without(exclude, files, labels, class_names, root)
            parts = stratified_split(labels, valid_fraction, seed=seed)
            splits = {
                split: ([files[row] for row in rows], labels[rows])
                for split, rows in zip(("train", "valid"), parts, strict=True)
            }
        if max_train is not None:
            splits["train"] = _at_most(max_train, *splits["train"], seed)
        print_classes(class_names)
        return cls(
            *(root, class_names, splits, image_size, batch_size),
            *(augment, resize, label_mode, on_error, seed),
        )

    def with_augment(self, augment: str | Augment | None) -> "ImageData":
        """The same photos, labels and seed with another augmentation of `train`."""
        return ImageData(
            *(self.root, self.class_names, self._splits),
            *(self.image_size, self.batch_size, augment, self.resize),
            *(self.label_mode, self.on_error, self.seed),
        )

    @cached_property
    def train(self) -> tf.data.Dataset:  # noqa: D102 (described with the class)
        return self._photos["train"].dataset()

    @cached_property
    def valid(self) -> tf.data.Dataset:  # noqa: D102
        return self._photos["valid"].dataset()

    @cached_property
    def test(self) -> tf.data.Dataset | None:  # noqa: D102
        return self._photos["test"].dataset() if "test" in self._photos else None

    @property
    def splits(self) -> list[str]:
        """Names of the splits that are there: train, valid and perhaps test."""
        return list(self._splits)

    def files(self, split: str) -> list[str]:
        """File names of `split`, relative to `root`, in the order of its labels."""
        return self._split(split)[0]

    def paths(self, split: str) -> list[Path]:
        """Paths of `files(split)`."""
        return [self.root / file for file in self.files(split)]

    def labels(self, split: str) -> np.ndarray:
        """Class indices `(n,)` of `files(split)`."""
        return self._split(split)[1]

    def encoded_labels(self, split: str) -> np.ndarray:
        """Labels of `files(split)` as the datasets yield them, `(n,)` or `(n, k)`."""
        self._split(split)
        return self._photos[split].labels

    def counts(self) -> pd.DataFrame:
        """Number of photos: a row for each split, a column for each class."""
        counts = {
            split: np.bincount(labels, minlength=len(self.class_names))
            for split, (_, labels) in self._splits.items()
        }
        return pd.DataFrame(counts, index=self.class_names).T

    @property
    def stream(self) -> BatchStream:
        """The `BatchStream` under `train`; its `next_epoch` may be set."""
        return self._photos["train"].stream

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`, as a resumed run needs."""
        self.stream.next_epoch = epoch

    def preview(self, path: str | Path, index: int = 0, draws: int = 16) -> None:
        """Save a grid of training photo `index` as `draws` epochs would show it.

        Raises:
            ValueError: `draws` is not at least 1, or the photo is damaged.
        """
        check_positive_int("draws", draws)
        photos = self._photos["train"]
        photo = PhotoBatches(
            [photos.paths[index]] * draws,
            photos.labels[[index] * draws],
            *(photos.image_size, draws, photos.resize),
            augment=self.augment,
            on_error="raise",
            seed=self.seed,
        )
        plots.save_grid(photo.batch(0, 0)[0], path)

    def read(self, split: str, index: int) -> np.ndarray:
        """Plain view of photo `index` of `split`: `(*image_size, 3)` uint8."""
        photo = read_image(self.paths(split)[index], self.image_size)
        return warp_image(photo, self.image_size, self.resize)

    def _split(self, split: str) -> tuple[list[str], np.ndarray]:
        if split not in self._splits:
            raise ValueError(
                f"`split` must be one of {', '.join(map(repr, self._splits))}. "
                f"Received: split={split!r}"
            )
        return self._splits[split]


Split = tuple[list[str], np.ndarray]


def _read_splits(
    root: Path, folders: dict[str, str | None], exclude: Collection[str]
) -> tuple[list[str], dict[str, Split]]:
    """Class names, and files relative to `root` and labels of each split."""
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
        names, files, labels = list_classes(root / folder)
        class_names = class_names or names
        if names != class_names:
            only_in_one = sorted(set(names) ^ set(class_names))
            raise ValueError(
                "`path` must hold the same classes in each split. Received: "
                f"path={str(root)!r} ({', '.join(only_in_one)} not in both "
                f"{folders['train']!r} and {folder!r})"
            )
        files = [f"{folder}/{file}" for file in files]
        splits[split] = _without(exclude, files, labels, names, root / folder)
    return class_names, splits


def _read_classes(
    root: Path, split_names: set[str], test: str | None
) -> tuple[list[str], list[str], np.ndarray]:
    """Class names, files and labels of a folder that holds class folders alone."""
    if test is not None:
        raise ValueError(
            "`test` must be None with `valid_fraction`, which splits one set of photos "
            f"in two. Received: test={test!r}"
        )
    class_names, files, labels = list_classes(root)
    if found := split_names.intersection(class_names):
        raise ValueError(
            "`path` must hold class folders alone with `valid_fraction`. Received: "
            f"path={str(root)!r} (folder {min(found)!r}). Leave `valid_fraction` out, "
            "or pass the folder of the photos to split."
        )
    return class_names, files, labels


def _without(
    exclude: Collection[str],
    files: list[str],
    labels: np.ndarray,
    class_names: list[str],
    directory: Path,
) -> Split:
    exclude = set(exclude)
    kept = [row for row, file in enumerate(files) if file not in exclude]
    counts = np.bincount(labels[kept], minlength=len(class_names))
    if not counts.all():
        raise ValueError(
            "Each class must have an image that is not in `exclude`. Received: "
            f"none of {class_names[counts.argmin()]!r} in {str(directory)!r}"
        )
    return [files[row] for row in kept], labels[kept]


def _at_most(limit: int, files: list[str], labels: np.ndarray, seed: int) -> Split:
    """Draw `limit` of `files`, the classes in proportion; a larger limit draws more."""
    classes = np.unique(labels)
    if limit < len(classes):
        raise ValueError(
            "`max_train` must be at least the number of classes. "
            f"Received: max_train={limit} ({len(classes)} classes)"
        )
    rng = np.random.default_rng(seed)
    share = np.empty(len(labels))  # of its class that is drawn before each photo
    for label in classes:
        rows = np.flatnonzero(labels == label)
        share[rows] = rng.permutation(len(rows)) / len(rows)
    drawn = np.sort(np.argsort(share, kind="stable")[:limit])
    return [files[row] for row in drawn], labels[drawn]
