"""Photos in splits, as names, labels and tf.data: what ImageData is made of."""

from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import LeaveOneOut
from sklearn.utils.class_weight import compute_class_weight

from kerasdl import strategies
from kerasdl.batches import BatchStream, TrainingData, stratified_folds

from ._facts import photo_facts
from ._label_modes import encode_labels
from ._looks import Looks
from ._mix import Mix
from ._photo_list import PhotoList, at_most, join, label_counts
from ._warp import warp_image
from .augment import Augment
from .image_folder import PhotoBatches, read_picture
from .photo_settings import PhotoSettings


class PhotoSplits(Looks, TrainingData):
    """Photos in up to three splits; `ImageData` describes it.

    Args:
        splits: "train" and perhaps "valid" and "test"; only the last may be without
            labels.
        class_names: names in the order of the labels.
        settings: how they are read, batched and augmented.
        root: folder that file names are relative to.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        splits: dict[str, PhotoList],
        class_names: list[str],
        settings: PhotoSettings,
        root: Path | None = None,
    ) -> None:
        is_multi_label = splits["train"].known_labels.ndim == 2
        if settings.oversample and is_multi_label:
            raise ValueError(
                "`oversample` needs one label a photo: showing a rare label more often "
                "shows those beside it more often too. Received: oversample=True "
                "with several labels a photo"
            )
        strategies.check_batch_size(settings.batch_size)
        if settings.label_mode is None and is_multi_label:
            settings = replace(settings, label_mode="multi_label")
        self.class_names = class_names
        self.batch_size = settings.batch_size
        self.augment = settings.augment
        self.mix = settings.mix
        self.resize = settings.resize
        self.label_mode = settings.label_mode
        self.root = root
        self.oversample = settings.oversample
        self.on_error = settings.on_error
        self.max_pixels = settings.max_pixels
        self.seed = settings.seed
        self._splits = splits
        self._photos = {}
        for split, photos in splits.items():
            labels = photos.labels
            if labels is not None:
                labels = encode_labels(labels, len(class_names), self.label_mode)
            is_train = split == "train"
            self._photos[split] = PhotoBatches(
                photos.pictures,
                labels,
                settings.image_size,
                settings.batch_size,
                settings.resize,
                augment=settings.augment if is_train else None,
                mix=settings.mix if is_train else None,
                shuffle=is_train,
                balance=photos.labels if is_train and settings.oversample else None,
                on_error=settings.on_error,
                max_pixels=settings.max_pixels,
                seed=settings.seed,
            )
        self.image_size = self._photos["train"].image_size

    @cached_property
    def train(self) -> tf.data.Dataset:  # noqa: D102 (described with the class)
        return self._photos["train"].dataset()

    @cached_property
    def valid(self) -> tf.data.Dataset | None:  # noqa: D102
        return self._photos["valid"].dataset() if "valid" in self._photos else None

    @cached_property
    def test(self) -> tf.data.Dataset | None:  # noqa: D102
        return self._photos["test"].dataset() if "test" in self._photos else None

    @property
    def splits(self) -> list[str]:
        """Names of the splits that are there, in the order train, valid, test."""
        return list(self._splits)

    def files(self, split: str) -> list[str]:
        """Names of the photos of `split` in the order of its labels.

        They are relative to `root`, or to the folder that was given for test photos
        without labels; for arrays "0", "1", ...
        """
        return self._split(split).files

    def pictures(self, split: str) -> list[Path | np.ndarray]:
        """Where the pixels of `files(split)` are: paths, or for arrays uint8 pixels."""
        return self._split(split).pictures

    def paths(self, split: str) -> list[Path]:
        """Paths of `files(split)`.

        Raises:
            ValueError: the photos are arrays.
        """
        pictures = self.pictures(split)
        if isinstance(pictures[0], np.ndarray):
            raise ValueError(
                "`paths` needs photos that are files. Received: photos from arrays. "
                "Use `pictures(split)`."
            )
        return [picture for picture in pictures if not isinstance(picture, np.ndarray)]

    def labels(self, split: str) -> np.ndarray:
        """Labels of `files(split)`.

        Class indices `(n,)` int64; multi-hot `(n, classes)` float32 with several labels
        a photo.

        Raises:
            ValueError: the photos of `split` have no labels.
        """
        labels = self._split(split).labels
        if labels is None:
            raise ValueError(
                f"`split` must be one with labels. Received: split={split!r}, whose "
                "photos came without"
            )
        return labels

    def has_labels(self, split: str) -> bool:
        """Whether the photos of `split` have labels."""
        return self._split(split).labels is not None

    def encoded_labels(self, split: str) -> np.ndarray:
        """Labels of `files(split)` as the datasets yield them, `(n,)` or `(n, k)`.

        Raises:
            ValueError: the photos of `split` have no labels.
        """
        self.labels(split)
        return self._photos[split].labels

    def counts(self) -> pd.DataFrame:
        """Photos with each label: a row for each labelled split, a column a class."""
        counts = {
            split: label_counts(photos.known_labels, len(self.class_names))
            for split, photos in self._splits.items()
            if self.has_labels(split)
        }
        return pd.DataFrame(counts, index=self.class_names).T

    def class_weights(self) -> dict[int, float]:
        """Weights for `fit(class_weight=)` that let each class count alike.

        Of class c: photos / (classes * photos of c), of the training photos
        (scikit-learn's "balanced").

        Raises:
            ValueError: photos with several labels, which Keras would weight by the
                first one alone, or a class without training photos.
        """
        labels = self.labels("train")
        if labels.ndim == 2:
            raise ValueError(
                "`class_weights` needs one label a photo: `fit(class_weight=)` looks "
                "at the first label alone. Received: label_mode='multi_label'. Pass a "
                "loss that weights the columns."
            )
        if self.counts().loc["train"].min() == 0:
            raise ValueError(
                "`class_weights` needs training photos of each class. Received: none "
                f"of {self.counts().loc['train'].idxmin()!r}"
            )
        classes = np.arange(len(self.class_names))
        weights = compute_class_weight("balanced", classes=classes, y=labels)
        return dict(enumerate(weights.tolist()))

    def with_augment(self, augment: str | Augment | None) -> Self:
        """The same photos, labels and seed with another augmentation of `train`."""
        return self._with(augment=augment)

    def with_mix(self, mix: Mix | None) -> Self:
        """The same photos and seed, the images of a training batch mixed in pairs.

        Labels are mixed like the images: a loss other than cross-entropy may not take
        them. The seed of `mix` is not used, as mixtures are drawn from the data's.

        Args:
            mix: `keras.layers.MixUp`, which blends two images, `keras.layers.CutMix`,
                which puts a rectangle of one into the other, or None.

        Raises:
            ValueError: another layer, or labels that are class indices.

        Reference:
            https://arxiv.org/abs/1710.09412, https://arxiv.org/abs/1905.04899
        """
        return self._with(mix=mix)

    def with_image_size(self, image_size: int | tuple[int, int]) -> Self:
        """The same photos, labels and seed at another size, one side or (h, w)."""
        return self._with(image_size=image_size)

    def with_max_train(self, max_train: int | None) -> Self:
        """The same with at most so many training photos, the classes in proportion.

        Raises:
            ValueError: `max_train` is below the number of classes.
        """
        train = at_most(max_train, self._splits["train"], self.seed)
        return self._with(self._splits | {"train": train})

    @property
    def stream(self) -> BatchStream:
        """The `BatchStream` under `train`; its `next_epoch` may be set."""
        return self._photos["train"].stream

    def batch_files(self, index: int, epoch: int | None = None) -> list[str]:
        """File names of batch `index` of `train`, without those known to be damaged.

        Args:
            index: of the batch, from 0.
            epoch: number of the pass; None is the one that began last.
        """
        photos = self._photos["train"]
        if epoch is None:
            epoch = photos.stream.epoch
        rows = photos.plan.rows(epoch, index)
        files = self.files("train")
        if not photos.damaged:  # pictures in memory never are, nor can be looked up
            return [files[row] for row in rows]
        return [
            files[row] for row in rows if photos.pictures[row] not in photos.damaged
        ]

    def facts(self) -> dict[str, Any]:
        """What decides the batches, as JSON can hold it: settings, digests of splits.

        For `resumable_fit(made_with=...)`; `fit_cycles` takes it by itself. The photos'
        names, sizes and labels count, and pixels in memory, not where the folder lies.
        """
        return photo_facts(self)

    def start_epoch(self, epoch: int) -> None:
        """Let the next pass over `train` be number `epoch`, as a resumed run needs."""
        self.stream.next_epoch = epoch

    def read(self, split: str, index: int) -> np.ndarray:
        """Plain view of photo `index` of `split`: `(*image_size, 3)` uint8."""
        picture = self.pictures(split)[index]
        photo = read_picture(picture, self.image_size, self.max_pixels)
        return warp_image(photo, self.image_size, self.resize)

    def folds(self, k: int = 5) -> Iterator[Self]:
        """Split the training and validation photos k times, for cross-validation.

        Each photo is for validation once; each class is spread evenly over the folds,
        several labels a photo by iterative stratification. The test split stays.

        Args:
            k: number of folds, at least 2.

        Returns:
            k times the same data with other splits, each made when it is asked for.

        Raises:
            ValueError: `k` is below 2, or a class has fewer than k photos.
        """
        pool = self._pool()
        labels = pool.known_labels
        if labels.ndim == 1:
            labels = np.array(self.class_names)[labels]
        folds = stratified_folds(labels, k, seed=self.seed)
        return (self._with_rows(pool, *rows) for rows in folds)

    def leave_one_out(self) -> Iterator[Self]:
        """Split once for each training and validation photo, which validates alone.

        The test split stays.

        Returns:
            The same data with other splits, each made when it is asked for.
        """
        pool = self._pool()
        folds = LeaveOneOut().split(pool.files)
        return (self._with_rows(pool, *rows) for rows in folds)

    def _pool(self) -> PhotoList:
        train = self._splits["train"]
        return join(train, self._splits["valid"]) if "valid" in self._splits else train

    def _with_rows(self, pool: PhotoList, train: np.ndarray, valid: np.ndarray) -> Self:
        drawn = {"train": pool.take(train), "valid": pool.take(valid)}
        rest = {s: part for s, part in self._splits.items() if s not in drawn}
        return self._with(drawn | rest)

    def _split(self, split: str) -> PhotoList:
        if split not in self._splits:
            all_train = ": all photos train, none is held out"
            raise ValueError(
                f"`split` must be one of {', '.join(map(repr, self._splits))}. "
                f"Received: split={split!r}{all_train if split == 'valid' else ''}"
            )
        return self._splits[split]

    def _with(self, splits: dict[str, PhotoList] | None = None, **changes: Any) -> Self:
        """The same with other photos or settings; its next epoch is number 0."""
        # As they stand now: a user may have set another batch size, say.
        settings = PhotoSettings(
            **{field.name: getattr(self, field.name) for field in fields(PhotoSettings)}
        )
        settings = replace(settings, **changes)
        return type(self)(splits or self._splits, self.class_names, settings, self.root)
