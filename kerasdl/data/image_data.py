"""The noun of the data pipeline: photos in splits, each file with its label."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from kerasdl._checks import check_directory, check_positive_int
from kerasdl._seeds import resolve_seed

from ._array_splits import read_arrays
from ._decode import MAX_PIXELS
from ._folder_splits import read_folder, read_names
from ._label_modes import print_classes
from ._listed_splits import split_listed
from ._photo_list import at_most, check_fraction, drawn_share
from ._photo_splits import PhotoSplits
from .augment import Augment
from .image_table import read_table
from .photo_settings import PhotoSettings
from .resize_cache import resize_photos


class ImageData(PhotoSplits):
    """Photos with labels in up to three splits, as names and as tf.data.

    `train` is shuffled and augmented, anew each pass; `valid` and `test` never are and
    keep the order of `files(split)`. All yield `(images, labels)`, images RGB float32
    in [0, 255], `(batch, height, width, 3)`; a test split without labels yields images
    alone, which `model.predict` takes.

    Build one with `ImageData.from_folder`, `from_table`, `from_name` or `from_arrays`.
    Each takes what says where photos and labels are, and all of `PhotoSettings` by
    keywords besides: one call says everything, which is more than ten arguments.

    Attributes:
        root: folder that file names are relative to; None for arrays.
        class_names: names in the order of the labels.
        image_size: (height, width) in pixels.
        resize: "crop", "squash" or "pad".
        batch_size: images in a batch.
        augment: what `train` is augmented with.
        mix: what the images of a batch of `train` are mixed by; see `with_mix`.
        label_mode: "int", "binary", "categorical", "multi_label", or None for the
            default.
        oversample: whether `train` shows each class as often as the largest.
        on_error: "skip" or "raise".
        max_pixels: largest height * width of a file that is decoded.
        seed: of order and augmentation.
        train: tf.data of the training photos.
        valid: tf.data of the validation photos, or None.
        test: tf.data of the test photos, or None.
    """

    @classmethod
    def from_folder(
        cls,
        path: str | Path,
        train: str = "train",
        valid: str | Sequence[int | str] | np.ndarray | None = "valid",
        test: str | None = None,
        valid_fraction: float | None = None,
        image_size: int | tuple[int, int] = 224,
        batch_size: int = 64,
        augment: str | Augment | None = None,
        resize: str = "crop",
        label_mode: str | None = None,
        *,
        oversample: bool = False,
        on_error: str = "skip",
        max_pixels: int = MAX_PIXELS,
        exclude: Collection[str] = (),
        max_train: int | None = None,
        seed: int | None = None,
    ) -> Self:
        """Read `path/<split>/<class>/<image>`, or `path/<class>/<image>` and split it.

        Args:
            path: folder of the splits; with `valid_fraction`, of the classes, unless
                `train` or `test` names a folder in it.
            train: name of the training folder. Where there is no `train`, `valid` or
                `test`, a folder of another usual name is taken for it, such as
                `Training`, `val` or `test_set`, and a line says so.
            valid: name of the validation folder; or the photos for validation, as names
                or as positions among those of training; None trains on all of them.
            test: name of the test folder; None for no test split. Photos in it without
                class folders are without labels.
            valid_fraction: share of each class, in (0, 1), that becomes the validation
                split: of a folder that holds classes alone, or of the training folder
                of one that holds no validation photos.
            image_size: one side or (height, width), in pixels.
            batch_size: images in a batch.
            augment: of the training photos, as in `image_folder`.
            resize: "crop", "squash" or "pad".
            label_mode: as in `image_folder`.
            oversample: let an epoch of training show each class as often as the
                largest: photos of smaller classes come several times, each time with an
                augmentation of its own.
            on_error: "skip" or "raise", as in `image_folder`.
            max_pixels: as in `image_folder`.
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
        seed = resolve_seed(seed)
        folders = {"train": train, "valid": valid, "test": test}
        class_names, splits = read_folder(root, folders, valid_fraction, exclude, seed)
        splits["train"] = at_most(max_train, splits["train"], seed)
        print_classes(class_names)
        settings = PhotoSettings(
            image_size=image_size,
            batch_size=batch_size,
            augment=augment,
            resize=resize,
            label_mode=label_mode,
            oversample=oversample,
            on_error=on_error,
            max_pixels=max_pixels,
            seed=seed,
        )
        return cls(splits, class_names, settings, root)

    @classmethod
    def from_table(
        cls,
        table: str | Path | pd.DataFrame,
        folder: str | Path,
        image: str = "id",
        label: str | Sequence[str] = "label",
        suffix: str = ".jpg",
        valid_fraction: float | None = None,
        test: str | Path | float | None = None,
        label_delimiter: str | None = None,
        *,
        valid: str | Sequence[int | str] | np.ndarray | None = "drawn",
        image_size: int | tuple[int, int] = 224,
        batch_size: int = 64,
        augment: str | Augment | None = None,
        resize: str = "crop",
        label_mode: str | None = None,
        oversample: bool = False,
        on_error: str = "skip",
        max_pixels: int = MAX_PIXELS,
        exclude: Collection[str] = (),
        max_train: int | None = None,
        seed: int | None = None,
    ) -> Self:
        """Read photos that a table names, with one label each or several.

        The photo of a row is `folder/<image><suffix>`; files that the table does not
        name are not used. Classes are the labels in plain string order. With
        `label_delimiter` the labels are multi-hot, and the splits are drawn by
        iterative stratification, which deals out the rarest label first; a label of a
        few photos may then be missing from the smaller split. A row may then be empty:
        its photo has none of the labels.

        Args:
            table: a CSV file in UTF-8 with a header, read as text, or a DataFrame.
            folder: what the names are relative to.
            image: column of the names.
            label: column of the labels; or a column of 0 and 1 for each class, in the
                order of the classes. Where each row has one 1, a photo has one label.
            suffix: what the names lack, such as ".jpg", or "".
            valid_fraction: share of each class, in (0, 1), for validation; None is 0.2.
            test: a folder of photos without labels (a path of its own, not below
                `folder`), in the order of their names; or the share of the table's
                photos, in (0, 1), that are a test split with labels; or None.
            label_delimiter: what stands between several labels of a photo, such as
                " "; None for one label a photo.
            valid: "drawn" is `valid_fraction`; or the photos for validation, as names,
                `suffix` included, or rows of the table from 0; None trains on all.
            image_size: one side or (height, width), in pixels.
            batch_size: images in a batch.
            augment: of the training photos, as in `image_folder`.
            resize: "crop", "squash" or "pad".
            label_mode: as in `image_folder`; None with `label_delimiter`.
            oversample: as in `from_folder`; not with `label_delimiter`.
            on_error: "skip" or "raise", as in `image_folder`.
            max_pixels: as in `image_folder`.
            exclude: file names relative to `folder` to leave out.
            max_train: as in `from_folder`.
            seed: of the split, the order and the augmentation; None draws one and
                prints it.

        Raises:
            ValueError: a file that is no such table, an unknown column, a name that is
                empty, twice there or without a file, an empty label without
                `label_delimiter`, fewer than two classes, a class too small to split,
                or an argument outside its range.
        """
        root = check_directory("folder", folder)
        share = drawn_share(valid, valid_fraction)
        class_names, photos, held = read_table(
            table,
            root,
            image,
            label,
            suffix=suffix,
            label_delimiter=label_delimiter,
            exclude=exclude,
            valid=valid if share is None else None,
        )
        held = held if share is None else share
        splits, seed = split_listed(
            photos, class_names, held, test, max_train=max_train, seed=seed
        )
        settings = PhotoSettings(
            image_size=image_size,
            batch_size=batch_size,
            augment=augment,
            resize=resize,
            label_mode=label_mode,
            oversample=oversample,
            on_error=on_error,
            max_pixels=max_pixels,
            seed=seed,
        )
        return cls(splits, class_names, settings, root)

    @classmethod
    def from_name(
        cls,
        folder: str | Path,
        regex: str,
        valid_fraction: float = 0.2,
        test: str | Path | float | None = None,
        *,
        image_size: int | tuple[int, int] = 224,
        batch_size: int = 64,
        augment: str | Augment | None = None,
        resize: str = "crop",
        label_mode: str | None = None,
        oversample: bool = False,
        on_error: str = "skip",
        max_pixels: int = MAX_PIXELS,
        exclude: Collection[str] = (),
        max_train: int | None = None,
        seed: int | None = None,
    ) -> Self:
        """Read the photos below a folder, labelled by their names.

        Args:
            folder: holds the photos, in folders or not.
            regex: its first group is the label; searched in the path relative to
                `folder`, with "/" between folders. Of `great_pyrenees_173.jpg` the
                label is "great_pyrenees" by `r"([^/]+)_[0-9]+[.]jpg$"`.
            valid_fraction: share of each class, in (0, 1), for validation.
            test: as in `from_table`.
            image_size: one side or (height, width), in pixels.
            batch_size: images in a batch.
            augment: of the training photos, as in `image_folder`.
            resize: "crop", "squash" or "pad".
            label_mode: as in `image_folder`.
            oversample: as in `from_folder`.
            on_error: "skip" or "raise", as in `image_folder`.
            max_pixels: as in `image_folder`.
            exclude: file names relative to `folder` to leave out.
            max_train: as in `from_folder`.
            seed: of the split, the order and the augmentation; None draws one and
                prints it.

        Raises:
            ValueError: no photos, a name in which `regex` finds no label, fewer than
                two classes, a class too small to split, or an argument outside its
                range.
        """
        root = check_directory("folder", folder)
        class_names, photos = read_names(root, regex, exclude)
        held = check_fraction("valid_fraction", valid_fraction)
        splits, seed = split_listed(
            photos, class_names, held, test, max_train=max_train, seed=seed
        )
        settings = PhotoSettings(
            image_size=image_size,
            batch_size=batch_size,
            augment=augment,
            resize=resize,
            label_mode=label_mode,
            oversample=oversample,
            on_error=on_error,
            max_pixels=max_pixels,
            seed=seed,
        )
        return cls(splits, class_names, settings, root)

    @classmethod
    def from_arrays(
        cls,
        images: np.ndarray,
        labels: Any,
        valid: float | tuple[np.ndarray, Any] | Sequence[int] | np.ndarray | None = 0.2,
        test: float | tuple[np.ndarray, Any] | np.ndarray | None = None,
        class_names: Sequence[str] | None = None,
        *,
        image_size: int | tuple[int, int] | None = None,
        batch_size: int = 64,
        augment: str | Augment | None = None,
        resize: str = "crop",
        label_mode: str | None = None,
        oversample: bool = False,
        seed: int | None = None,
    ) -> Self:
        """Take photos in memory; `files` are their positions, "0", "1", ...

        Args:
            images: pixels in [0, 255], uint8, or float, which is rounded: `(n, height,
                width, 3)` RGB, or grey `(n, height, width)` or `(n, height, width, 1)`,
                which becomes RGB. Arrays of uint8 are not copied.
            labels: `(n,)` or `(n, 1)` integers or strings, or multi-hot `(n, classes)`
                of 0 and 1 for several labels an image.
            valid: share of each class, in (0, 1), or the pair `(images, labels)`, or a
                list or array of positions in `images`; None trains on all.
            test: likewise, or images alone, which are without labels, or None.
            class_names: of the integers 0, 1, ..., or strings in the order of their
                classes; None takes the labels themselves, in order.
            image_size: one side or (height, width), in pixels; None keeps that of
                `images`.
            batch_size: images in a batch.
            augment: of the training photos, as in `image_folder`.
            resize: "crop", "squash" or "pad".
            label_mode: as in `image_folder`; None with several labels an image.
            oversample: as in `from_folder`; not with several labels an image.
            seed: of the split, the order and the augmentation; None draws one and
                prints it.

        Raises:
            ValueError: arrays that do not fit each other or hold something else (such
                as pixels in [0, 1], or one-hot labels), or an argument outside its
                range.
        """
        seed = resolve_seed(seed)
        names, splits = read_arrays(
            images, labels, valid, test, class_names=class_names, seed=seed
        )
        print_classes(names)
        settings = PhotoSettings(
            image_size=np.shape(images)[1:3] if image_size is None else image_size,
            batch_size=batch_size,
            augment=augment,
            resize=resize,
            label_mode=label_mode,
            oversample=oversample,
            seed=seed,
        )
        return cls(splits, names, settings)

    def resize_to(
        self,
        side: int,
        quality: int = 95,
        cache_dir: str | Path | None = None,
        verbose: int = 1,
    ) -> Self:
        """The same photos as JPEG copies whose shorter side is `side` pixels.

        The copies are made once; see `resize_photos`. Splits, names and labels stay.
        Training at an `image_size` of up to `side` enlarges none that was not enlarged
        before.

        Args:
            side: shorter side of a copy, in pixels; at least that of `image_size`.
            quality: of the JPEG files, 1 to 100.
            cache_dir: as in `resize_photos`.
            verbose: 1 shows a progress bar, 0 nothing.

        Raises:
            ImageError: a damaged file with `on_error="raise"`.
            ValueError: photos from arrays, or an argument outside its range.
        """
        check_positive_int("side", side)
        if side < max(self.image_size):
            raise ValueError(
                "`side` must be at least the sides of `image_size`: smaller copies "
                f"would be enlarged. Received: side={side!r}, "
                f"image_size={self.image_size}"
            )
        paths = [path for split in self.splits for path in self.paths(split)]
        how = {"on_error": self.on_error, "max_pixels": self.max_pixels}
        copies = iter(
            resize_photos(paths, side, quality, cache_dir, verbose=verbose, **how)
        )
        splits = {
            split: replace(photos, pictures=list(islice(copies, len(photos))))
            for split, photos in self._splits.items()
        }
        return self._with(splits)
