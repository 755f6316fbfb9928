"""The noun of detection: photos with boxes in splits, as tables and as tf.data."""

import dataclasses
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl import plots, strategies
from kerasdl._checks import (
    check_class_names,
    check_one_of,
    check_positive_int,
    first_few,
    size_pair,
)
from kerasdl._described import Described, some
from kerasdl._names import print_line
from kerasdl._seeds import resolve_seed
from kerasdl.batches import BatchStream, TrainingData, multi_hot_parts
from kerasdl.data import MAX_PIXELS, Augment, read_image, warp_image

from .annotations import Annotations
from .box_batches import CLASS, BoxBatches
from .drawing import with_boxes
from .faults import without_faults
from .fingerprints import fingerprints
from .formats.find import read_annotations

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPLITS = ("train", "valid", "test")
# Objects at half to one and a half times their size, anywhere, in other light.
SCENES = Augment(
    width_shift_range=0.15,
    height_shift_range=0.15,
    zoom_range=(0.67, 1.6),
    horizontal_flip=True,
    brightness=0.1,
    contrast=0.2,
    saturation=0.3,
    hue=0.02,
)


class BoxData(Described, TrainingData):
    """Photos with boxes in splits.

    It keeps to `kerasdl.batches.TrainingData`. `train` is shuffled and augmented, anew
    each pass; `valid` and `test` are plain and keep the order of `files(split)`. All
    yield `(images, labels)`: images RGB float32 in [0, 255], `(batch, height, width,
    3)`; labels float32 `(batch, max_boxes, 6)`, a row for each box: x1 y1 x2 y2 in
    pixels of the image, the number of the class, -1 in rows beyond the last box, and 1
    of boxes that are difficult or crowds. A photo without boxes is one. With masks the
    rows are longer: see `BoxBatches`.

    Args:
        annotations: photos and boxes, as a reader gives them. Where they say a split of
            some photos, the others are not used; where there is training alone, or no
            split at all, `valid_fraction` of it is drawn.
        image_size: one side or (height, width), in pixels.
        batch_size: photos in a batch.
        augment: "scenes" (scale, place, mirror, light), an `Augment`, or None.
        mosaic: probability that a view of `train` is a mosaic of four photos.
        resize: "pad" (the whole photo, black borders), "squash" or "crop".
        valid_fraction: share of the photos for validation, each class alike.
        on_error: what is done about photos and boxes that are wrong: "skip" leaves them
            out, or cuts what reaches outside, and warns; "raise" stops. Masks are
            looked at with `masks=True`: a bad one is left out, and the box stands for
            it.
        max_pixels: largest height * width of a file that is decoded.
        masks: whether labels have masks.
        copy_paste: with masks, probability that a view of `train` gets an object of
            another view, up to three times.
        exclude: files that are left out.
        max_train: at most so many training photos, the classes in proportion.
        seed: of the split, the order and the augmentation; None draws one and prints
            it.

    Attributes:
        annotations: of the photos that are used, with sizes, without faults.
        class_names: in the order of the labels.
        image_size, batch_size, augment, mosaic, resize, on_error, max_pixels, seed: as
            they were given.
        stream: the `BatchStream` under `train`.

    Raises:
        ValueError: an argument outside its range, a split without photos, or photos or
            boxes that are wrong with `on_error="raise"`.
    """

    def __init__(
        self,
        annotations: Annotations,
        image_size: int | tuple[int, int] = 320,
        batch_size: int = 8,
        augment: str | Augment | None = None,
        mosaic: float = 0.0,
        resize: str = "pad",
        valid_fraction: float = 0.2,
        *,
        on_error: str = "skip",
        masks: bool = False,
        copy_paste: float = 0.0,
        max_pixels: int = MAX_PIXELS,
        exclude: Collection[str] = (),
        max_train: int | None = None,
        seed: int | None = None,
    ) -> None:
        self.class_names = list(annotations.class_names)
        check_class_names("annotations", self.class_names)
        if len(set(self.class_names)) < len(self.class_names):
            raise ValueError(
                "`annotations` must have each class once. Received: "
                f"{first_few(self.class_names)}"
            )
        self.image_size = size_pair("image_size", image_size)
        check_positive_int("batch_size", batch_size)
        strategies.check_batch_size(batch_size)
        if isinstance(augment, str):
            check_one_of("augment", augment, ("scenes",))
            augment = SCENES
        for name, share in (
            ("mosaic", mosaic),
            ("copy_paste", copy_paste),
            ("valid_fraction", valid_fraction),
        ):
            if not 0 <= share <= 1:
                raise ValueError(
                    f"`{name}` must be from 0 to 1. Received: {name}={share!r}"
                )
        if copy_paste and not masks:
            raise ValueError(
                "`copy_paste` must be 0 without `masks=True`. Received: "
                f"copy_paste={copy_paste!r}"
            )
        self.seed = resolve_seed(seed)
        kept = annotations.photos.index.difference(list(exclude), sort=False)
        found = _split(annotations.take(kept), valid_fraction, self.seed)
        found = without_faults(found, on_error, masks=masks)
        if max_train is not None:
            check_positive_int("max_train", max_train)
            found = _at_most(found, max_train, self.seed)
        self.annotations = found
        self.batch_size, self.augment, self.mosaic = batch_size, augment, mosaic
        self.masks, self.copy_paste = masks, copy_paste
        self.resize, self.on_error, self.max_pixels = resize, on_error, max_pixels
        self._batches = {split: self._of(split) for split in self.splits}
        if missing := [s for s in ("train", "valid") if s not in self._batches]:
            raise ValueError(
                "`annotations` must leave photos for training and for validation. "
                f"Received: none for {first_few(missing)}"
            )
        if not len(found.of_split("train").boxes):
            raise ValueError(
                "`annotations` must have boxes on training photos. Received: none on "
                f"{len(self.files('train'))} photos"
            )
        self.stream: BatchStream = self._batches["train"].stream

    @classmethod
    def from_folder(cls, path: str | Path, **options: Any) -> Self:
        """Read what `read_annotations` finds in `path`; `options` are the class's."""
        return cls(read_annotations(path), **options)

    @cached_property
    def train(self) -> tf.data.Dataset:
        """Batches for training, in a new order and new views each pass."""
        return self._batches["train"].dataset()

    @cached_property
    def valid(self) -> tf.data.Dataset:
        """Batches for validation, in the order of their files."""
        return self._batches["valid"].dataset()

    @cached_property
    def test(self) -> tf.data.Dataset | None:
        """Batches of the test photos in the order of their files, or None."""
        return self._batches["test"].dataset() if "test" in self._batches else None

    @property
    def splits(self) -> list[str]:
        """Names of the splits that are there."""
        there = set(self.annotations.photos["split"])
        return [split for split in SPLITS if split in there]

    def of_split(self, split: str) -> Annotations:
        """Photos and boxes of `split`, in the order of its batches.

        Raises:
            ValueError: there is no such split.
        """
        check_one_of("split", split, self.splits)
        return self.annotations.of_split(split)

    def files(self, split: str) -> list[str]:
        """Names of the photos of `split`, relative to the annotations' root."""
        return list(self.of_split(split).photos.index)

    def counts(self) -> pd.DataFrame:
        """Boxes of each class: a row for each split, a column for each class."""
        return self.annotations.counts()

    def read(self, split: str, index: int) -> np.ndarray:
        """Plain view of photo `index` of `split`: `(*image_size, 3)` uint8."""
        path = self.annotations.root / self.files(split)[index]
        photo = read_image(path, self.image_size, self.max_pixels)
        return warp_image(photo, self.image_size, self.resize)

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`."""
        self.stream.next_epoch = epoch

    def batch_files(self, index: int) -> list[str]:
        """Names of the photos of a batch of the pass over `train` that began last."""
        rows = self._batches["train"].plan.rows(self.stream.epoch, index)
        files = self.files("train")
        return [files[row] for row in rows]

    def show_batch(
        self,
        path: str | Path | None = None,
        split: str = "train",
        index: int = 0,
        epoch: int = 0,
    ) -> "Figure":
        """Draw a batch as a network gets it, with its boxes; see `plots.save_grid`.

        Raises:
            ValueError: there is no such split.
        """
        check_one_of("split", split, self.splits)
        drawn = []
        for image, rows in zip(*self._batches[split].batch(epoch, index), strict=True):
            rows = rows[rows[:, CLASS] >= 0]
            classes = rows[:, CLASS].astype(int)
            names = [self.class_names[number] for number in classes]
            drawn.append(with_boxes(image, rows[:, :CLASS], names, classes))
        return plots.save_grid(drawn, path)

    def with_image_size(
        self, image_size: int | tuple[int, int], batch_size: int | None = None
    ) -> Self:
        """The same photos, boxes and seed at another size, one side or (h, w)."""
        return type(self)(
            self.annotations,
            image_size,
            batch_size or self.batch_size,
            self.augment,
            self.mosaic,
            resize=self.resize,
            on_error=self.on_error,
            masks=self.masks,
            copy_paste=self.copy_paste,
            max_pixels=self.max_pixels,
            seed=self.seed,
        )

    def facts(self) -> dict[str, Any]:
        """What a resumed run must find again, as JSON can hold it."""
        names = (
            "batch_size",
            "mosaic",
            "masks",
            "copy_paste",
            "resize",
            "on_error",
            "seed",
        )
        return {
            **{name: getattr(self, name) for name in names},
            "image_size": list(self.image_size),
            "class_names": list(self.class_names),
            "augment": self.augment and dataclasses.asdict(self.augment),
            "photos": self.annotations.photos["split"].value_counts().to_dict(),
            "boxes": len(self.annotations.boxes),
            **fingerprints(self.annotations, self.masks),
        }

    def _facts(self) -> dict[str, str]:
        counts = self.counts()
        by_split = {
            split: f"{len(self.files(split)):,} photos, boxes: "
            + some([f"{name} {number}" for name, number in row.items()])
            for split, row in counts.iterrows()
        }
        height, width = self.image_size
        return by_split | {
            "size": f"{height} x {width} pixels, {self.resize}",
            "batches": f"of {self.batch_size}",
            "augment": "none" if self.augment is None else "yes",
            "mosaic": f"{self.mosaic:.2g} of the views",
            "seed": str(self.seed),
        }

    def _pictures(self) -> list[tuple[np.ndarray, str]]:
        files = self.files("train")[:8]
        return [(self.read("train", row), file) for row, file in enumerate(files)]

    def _of(self, split: str) -> BoxBatches:
        is_train = split == "train"
        return BoxBatches(
            self.annotations.of_split(split),
            self.image_size,
            self.batch_size,
            self.resize,
            augment=self.augment if is_train else None,
            mosaic=self.mosaic if is_train else 0.0,
            masks=self.masks,
            copy_paste=self.copy_paste if is_train else 0.0,
            shuffle=is_train,
            on_error=self.on_error,
            max_pixels=self.max_pixels,
            seed=self.seed,
        )


def _split(annotations: Annotations, fraction: float, seed: int) -> Annotations:
    """The photos that have a split, after one was drawn where none is said."""
    splits = annotations.photos["split"]
    if (splits == "").all():
        splits = pd.Series("train", splits.index)
    if unused := int((splits == "").sum()):
        print_line(f"{unused} photos are in no split and are not used")
        annotations = annotations.take(splits.index[splits != ""])
        splits = annotations.photos["split"]
    if not (splits == "valid").any():
        train = annotations.take(splits.index[splits == "train"])
        parts = multi_hot_parts(train.multi_hot(), [1 - fraction, fraction], seed)
        splits = splits.copy()
        splits[train.photos.index[parts == 1]] = "valid"
    photos = annotations.photos.assign(split=splits)
    return dataclasses.replace(annotations, photos=photos)


def _at_most(annotations: Annotations, limit: int, seed: int) -> Annotations:
    """The same with at most `limit` training photos, the classes in proportion."""
    train = annotations.of_split("train")
    share = min(limit / max(len(train.photos), 1), 1)
    parts = multi_hot_parts(train.multi_hot(), [share, 1 - share], seed)
    rows = np.flatnonzero(parts == 0)[:limit]
    dropped = train.photos.index.delete(rows)
    return annotations.take(annotations.photos.index.difference(dropped, sort=False))
