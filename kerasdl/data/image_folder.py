"""Photos on disk as tf.data batches, decoded, placed and augmented by some threads.

One class a folder: `image_folder`. The batches themselves: `PhotoBatches`.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasdl._checks import check_one_of, check_positive_int, size_pair
from kerasdl._seeds import resolve_seed
from kerasdl.batches import (
    Batch,
    BatchPlan,
    BatchStream,
    aligned_empty,
    share_of,
    shared_stream,
    with_shares,
)

from ._damaged import DamagedFiles
from ._decode import MAX_PIXELS, ImageError, read_image
from ._erase import erase_parts
from ._label_modes import encode_labels, print_classes
from ._listing import list_classes
from ._mix import Mix, mixer
from ._pixel_views import are_whole, whole_views
from ._rand_augment import rand_augment
from ._warp import RESIZE_MODES, warp_image
from .augment import NUM_DRAWS, PRESETS, Augment, apply_colour

ON_ERROR = ("skip", "raise")


def image_folder(
    directory: str | Path,
    image_size: int | tuple[int, int] = (224, 224),
    batch_size: int = 64,
    augment: str | Augment | None = None,
    shuffle: bool = True,
    label_mode: str | None = None,
    resize: str = "crop",
    *,
    on_error: str = "skip",
    max_pixels: int = MAX_PIXELS,
    seed: int | None = None,
) -> tuple[tf.data.Dataset, list[str]]:
    """Read `directory/<class>/<image>` as batches of RGB pixels in [0, 255].

    Each pass over the dataset is one epoch with an order and draws of its own,
    functions of (`seed`, epoch, position). JPEG, PNG, BMP, GIF, WEBP
    and TIFF, the first frame or page; EXIF orientation is respected.

    Args:
        directory: holds one folder per class, each with images.
        image_size: one side or (height, width) of the images, in pixels.
        batch_size: images in a batch; the last one of an epoch may be smaller.
        augment: "none", "side_on", "top_down", "chapter", an `Augment`, or
            "rand_augment", which needs the extra `cv` and takes some seconds to start.
        shuffle: a new order each epoch, for training. False is class after class, in
            file order: for validation, and where predictions are told by their place.
        label_mode: "int" (sparse), "binary" (one column of 0.0 and 1.0) or
            "categorical" (one-hot); None is "binary" for two classes, else
            "categorical".
        resize: "crop" (centre), "squash" (stretch) or "pad" (black borders).
        on_error: a damaged file is named and left out ("skip"), or stops the pass
            with an error that names it ("raise").
        max_pixels: largest height * width that is decoded, a JPEG's after it was
            reduced towards `image_size`; a larger photo counts as damaged.
        seed: None draws one and prints it.

    Returns:
        The dataset of `(images, labels)`, images float32 `(batch, height, width, 3)`,
        and the class names: the folders' names in plain order, as in Keras.

    Raises:
        ValueError: fewer than two classes, an empty class, folders that are splits, no
            photo but damaged ones, or an argument outside its range.
        ImportError: "rand_augment" without keras-cv.
    """
    check_one_of("shuffle", shuffle, (True, False))
    class_names, files, labels = list_classes(directory)
    photos = PhotoBatches(
        [Path(directory) / file for file in files],
        encode_labels(labels, len(class_names), label_mode),
        image_size,
        batch_size,
        resize,
        augment=augment,
        shuffle=shuffle,
        on_error=on_error,
        max_pixels=max_pixels,
        seed=resolve_seed(seed),
    )
    print_classes(class_names)
    return photos.dataset(), class_names


class PhotoBatches:
    """Batches of photos, each a pure function of (`seed`, epoch, index).

    The settings of an `ImageData` one by one, as they differ from split to split.

    Args:
        pictures: an image file each, or its pixels in memory: uint8 `(height, width)`
            or `(height, width, 1 or 3)`.
        labels: one row for each picture; None for batches of images alone.
        image_size: one side or (height, width), in pixels.
        batch_size: images in a batch.
        resize: one of `RESIZE_MODES`.
        augment: a preset's name, "rand_augment", an `Augment`, or None.
        mix: mixes the images of a batch, and their labels; not with class indices.
        shuffle: a new order each epoch.
        balance: class of each picture, if an epoch is to show each class as often as
            the largest; implies `shuffle`.
        on_error: "skip" or "raise".
        max_pixels: largest height * width that is decoded.
        seed: of order and augmentation.

    Attributes:
        plan: which pictures are in a batch; damaged ones are among them.
        stream: the `BatchStream` under the dataset; its `next_epoch` may be set.
        damaged: reason by path of the files that were left out so far.
    """

    def __init__(
        self,
        pictures: Sequence[str | Path | np.ndarray],
        labels: np.ndarray | None,
        image_size: int | tuple[int, int],
        batch_size: int,
        resize: str = "crop",
        *,
        augment: str | Augment | None = None,
        mix: Mix | None = None,
        shuffle: bool = False,
        balance: np.ndarray | None = None,
        on_error: str = "skip",
        max_pixels: int = MAX_PIXELS,
        seed: int = 0,
    ) -> None:
        check_one_of("resize", resize, RESIZE_MODES)
        check_one_of("on_error", on_error, ON_ERROR)
        check_positive_int("max_pixels", max_pixels)
        self.pictures = [
            picture if isinstance(picture, np.ndarray) else str(picture)
            for picture in pictures
        ]
        self.labels = labels
        self.image_size = size_pair("image_size", image_size)
        self.batch_size = batch_size
        self.resize = resize
        self.augment, self._finish = _resolve_augment(augment, self.image_size)
        self._mix = None if mix is None else mixer(mix)
        if mix is not None and labels is not None and labels.ndim == 1:
            raise ValueError(
                "`label_mode` must be 'binary', 'categorical' or 'multi_label' with "
                "`mix`: class indices cannot be mixed. Received: label_mode='int'"
            )
        self.plan = BatchPlan(
            len(self.pictures), batch_size, shuffle, balance=balance, seed=seed
        )
        self.on_error = on_error
        self.max_pixels = max_pixels
        self.seed = seed
        self.damaged = DamagedFiles()
        self.stream = BatchStream(self.batch, self.plan.num_batches)

    def dataset(self) -> tf.data.Dataset:
        """tf.data of float32 images in [0, 255] and labels, one epoch a pass.

        In file order, batches of nothing but damaged photos are left out.

        Raises:
            ImageError: every photo is damaged.
        """
        stream, at = self.stream, self._batches_with_photos()
        if len(at) < stream.num_batches:
            stream = BatchStream(lambda epoch, i: self.batch(epoch, at[i]), len(at))
        # Bytes are handed over and become floats in the graph: less is copied.
        pixels = tf.TensorSpec((None, *self.image_size, 3), tf.uint8)
        if self.labels is None:
            images = stream.dataset((pixels,))
            return images.map(lambda x: tf.cast(x, tf.float32)).prefetch(1)
        label_spec = self._label_spec()
        dataset = stream.dataset((pixels, label_spec))
        dataset = dataset.map(_with_floats).prefetch(1)
        shares = shared_stream(
            stream,
            lambda epoch, i, *share: self._share(epoch, at[i], *share),
            lambda epoch, i: self.plan.rows(epoch, at[i]),
            (pixels, label_spec),
        )

        def as_floats(numbers: Sequence[int], of: int) -> tf.data.Dataset:
            own = shares(numbers, of)
            return own.map(lambda batch, rows: (_with_floats(*batch), rows)).prefetch(1)

        return with_shares(dataset, as_floats)

    def batch(self, epoch: int, index: int) -> Batch:
        """Images `(n, height, width, 3)` uint8 and, if there are any, labels.

        Raises:
            ImageError: a damaged file under `on_error="raise"`, or a batch that holds
                nothing else.
        """
        # Keras cannot train on an empty batch: a shuffled epoch shows another twice.
        num_batches = self.stream.num_batches
        for shift in range(num_batches if self.plan.shuffle else 1):
            batch = self._read_batch(epoch, (index + shift) % num_batches)
            if len(batch[0]):
                return batch
        names = ", ".join(self.pictures[row] for row in self.plan.rows(epoch, index))
        raise ImageError(names, "every image of a batch is damaged; leave them out")

    def _batches_with_photos(self) -> Sequence[int]:
        """Places of the batches of an epoch, without those that hold no good photo."""
        every = range(self.stream.num_batches)
        if self.plan.shuffle or self.on_error == "raise":
            return every
        return self.damaged.readable_batches(
            (self.plan.rows(0, index) for index in every),
            lambda row: read_picture(
                self.pictures[row], self.image_size, self.max_pixels
            ),
        )

    def _share(self, epoch: int, index: int, number: int, of: int) -> Batch:
        """Share `number` of `of` of a batch; it is empty if nothing can be read."""
        rows = share_of(len(self.plan.rows(epoch, index)), number, of)
        if self._mixes:  # needs the whole batch
            return tuple(array[rows] for array in self._read_batch(epoch, index))
        return self._read_batch(epoch, index, rows)

    @property
    def _mixes(self) -> bool:
        """Whether an image of a batch may show others of it."""
        return self._mix is not None

    def _label_spec(self) -> tf.TensorSpec:
        """What the labels of a batch look like, for tf.data."""
        labels = np.asarray(self.labels)
        return tf.TensorSpec((None, *labels.shape[1:]), labels.dtype)

    def _read_batch(self, epoch: int, index: int, part: slice = slice(None)) -> Batch:
        draws, later = self._draws(epoch, index)[part], None
        if self.augment.draws_later:
            later = self._draws(epoch, index, stream=3)[part]
        rows = self.plan.rows(epoch, index)[part]
        transforms = self.augment.transforms(draws, self.image_size)
        kept = list(range(len(rows)))
        if are_whole(transforms) and (stack := self._stack) is not None:
            images = self._shifted(stack, rows, transforms)
        else:
            images, kept = self._warped(rows, transforms)
        colours = self.augment.colours(draws, later)
        if colours is not None:
            for image, matrix in zip(images, colours[kept], strict=True):
                apply_colour(image, matrix)
        if later is not None:
            self._finish_each(images, later[kept])
        if self._finish:
            images = self._finish(images, draws[kept])
        if self.labels is None:
            return (images,)
        labels = self.labels[rows[kept]]
        if self._mix and kept:
            drawn = np.random.SeedSequence([self.seed, epoch, 2, index])
            mixed, labels = self._mix(images, labels, int(drawn.generate_state(1)[0]))
            images[...] = mixed
        return images, labels

    def _draws(self, epoch: int, index: int, stream: int = 1) -> np.ndarray:
        """Uniform numbers `(n, NUM_DRAWS)` of the positions of a batch."""
        seeds = np.random.SeedSequence([self.seed, epoch, stream])
        generator = np.random.Philox(seeds)
        # Philox goes to any place at once, four numbers a step: a position's draws
        # depend neither on the batch it is in nor on those before.
        generator.advance(index * self.batch_size * NUM_DRAWS // 4)
        count = len(self.plan.rows(epoch, index))
        return np.random.Generator(generator).random((count, NUM_DRAWS))

    def _finish_each(self, images: np.ndarray, later: np.ndarray) -> None:
        """Erase parts of images, and send each through the augmentation's function."""
        erase_parts(images, self.augment.erase, later[:, 5:11])
        function = self.augment.function
        if function is None:
            return
        for image, seed in zip(images, later[:, 11], strict=True):
            changed = np.asarray(function(image, int(seed * 2**31)))
            if changed.shape != image.shape:
                raise ValueError(
                    "`function` must return an image of the shape it is given, "
                    f"{image.shape}. Received: {changed.shape}"
                )
            image[:] = np.clip(np.rint(changed), 0, 255)

    def _warped(
        self, rows: np.ndarray, transforms: np.ndarray
    ) -> tuple[np.ndarray, list[int]]:
        """Views of the pictures at `rows`, and which of them could be read."""
        images = aligned_empty((len(rows), *self.image_size, 3), np.uint8)
        kept = []
        for number, row in enumerate(rows):
            if (photo := self._read(row)) is None:
                continue
            warp_image(
                photo,
                self.image_size,
                self.resize,
                transform=transforms[number],
                fill_mode=self.augment.fill_mode,
                out=images[len(kept)],
            )
            kept.append(number)
        return images[: len(kept)], kept

    def _read(self, row: int) -> np.ndarray | None:
        """The picture at `row`; None of a damaged one that is left out."""
        try:
            return read_picture(self.pictures[row], self.image_size, self.max_pixels)
        except ImageError as error:
            if self.on_error == "raise":
                raise
            self.damaged.leave_out(error)
            return None

    def _shifted(
        self, stack: np.ndarray, rows: np.ndarray, transforms: np.ndarray
    ) -> np.ndarray:
        """What `_warped` gives for pictures in memory that need no resizing."""
        fill_mode = "constant" if self.resize == "pad" else self.augment.fill_mode
        views = whole_views(stack, rows, transforms, fill_mode)
        images = aligned_empty((len(rows), *self.image_size, 3), np.uint8)
        images[:] = views if views.ndim == 4 else views[..., np.newaxis]
        return images

    @cached_property
    def _stack(self) -> np.ndarray | None:
        """All pictures in one array; None for files and for arrays of other sizes."""
        shapes = {getattr(picture, "shape", ()) for picture in self.pictures}
        same_size = {shape[:2] for shape in shapes} == {self.image_size}
        return np.stack(self.pictures) if same_size and len(shapes) == 1 else None


def _with_floats(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(images, tf.float32), labels


def read_picture(
    picture: str | Path | np.ndarray,
    target: tuple[int, int],
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """RGB pixels of a file, as `read_image` reads it, or of an array; uint8."""
    if not isinstance(picture, np.ndarray):
        return read_image(picture, target, max_pixels)
    pixels = picture if picture.ndim == 3 else picture[..., np.newaxis]
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels)  # OpenCV takes no mirrored view


def _resolve_augment(
    augment: str | Augment | None, image_size: tuple[int, int]
) -> tuple[Augment, Callable[[np.ndarray, np.ndarray], np.ndarray] | None]:
    """The warp of `augment`, and what whole batches and their draws go through then."""
    if isinstance(augment, str):
        check_one_of("augment", augment, [*PRESETS, "rand_augment"])
        if augment == "rand_augment":
            return Augment(), rand_augment(image_size)
        augment = PRESETS[augment]
    augment = augment or Augment()
    if not isinstance(augment, Augment):
        raise ValueError(
            "`augment` must be a preset's name, an Augment, or None. "
            f"Received: augment={augment!r}"
        )
    # Raises what it has to now, not in the first batch.
    augment.transforms(np.zeros((1, NUM_DRAWS)), image_size)
    return augment, None
