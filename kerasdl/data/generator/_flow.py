"""What `ImageDataGenerator.flow*` return: endless NumPy batches, and data for `fit`."""

import secrets
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasdl._atomic import remove_dead_partials, replacing
from kerasdl._checks import check_directory, check_one_of, check_positive_int

# pyright does not look into Keras.
from kerasdl._keras_internals import (
    DataAdapter,  # pyright: ignore[reportAttributeAccessIssue]
    EpochIterator,  # pyright: ignore[reportAttributeAccessIssue]
)
from kerasdl._seeds import resolve_seed
from kerasdl.batches import Batch, BatchPlan, BatchStream, aligned_empty

from .._damaged import DamagedFiles
from .._decode import ImageError
from ._image_transforms import ImageTransforms
from ._listing import SUFFIXES

SAVE_FORMATS = ("png", "jpg", "jpeg", "bmp", "gif", "ppm", "tif", "tiff", "webp")


class Flow(DataAdapter):
    """Batches of transformed images, made ahead by a pool of threads.

    `next(flow)` returns NumPy batches without end. `fit`, `evaluate` and `predict` take
    the flow itself: one pass an epoch, or `steps_per_epoch` batches of an endless pass.

    The order of the images and the draws of their transforms are functions of (`seed`,
    epoch, position). Every pass begins an epoch of its own; so does `next`, at first,
    after the last batch and after `reset()`.

    Keras takes an instance of its DataAdapter as it is. The public alternative is
    `keras.utils.PyDataset`: that is either endless or has a length, `fit` shuffles its
    batches by a global seed, and they come through a Python generator.

    Attributes:
        n: number of images.
        batch_size: images in a batch; the last one of an epoch may be smaller.
        batch_index: place of the batch that `next` returns next; may be set.
        total_batches_seen: batches taken so far, by `next`, by index and by Keras.
        lock: held while the place of a batch is found.
        shuffle: a new order each epoch.
        seed: of order and draws; where None was given, the one that was drawn.
        image_shape: `(height, width, channels)`.
        dtype: of the batches.
        rescale: factor on the pixels, or None.
        raw_pixels: whether the pixels are left in [0, 255].
        damaged: reason by path of the files that were left out so far.
        stream: the `BatchStream` underneath; its `next_epoch` may be set.
    """

    batch_size = 0  # set by each instance; DataAdapter has a read-only property here
    data_format = "channels_last"
    white_list_formats = SUFFIXES
    # Of Keras's PyDataset, which the legacy flows are; threads are shared here.
    workers, use_multiprocessing, max_queue_size = 1, False, 10

    def __init__(
        self,
        generator: ImageTransforms,
        n: int,
        image_shape: tuple[int, int, int],
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        saving: tuple[str | Path | None, str, str],
    ) -> None:
        check_positive_int("batch_size", batch_size)
        if not n:
            raise ValueError(
                "A flow must have at least one image. Received: 0 images. Look at the "
                "directory or table, at `classes` and at `subset`."
            )
        self.save_to_dir, self.save_prefix, self.save_format = saving
        check_one_of("save_format", self.save_format, SAVE_FORMATS)
        if self.save_to_dir is not None:
            check_directory("save_to_dir", self.save_to_dir)
            remove_dead_partials(self.save_to_dir)
        generator.check_fitted()
        self.generator = generator
        self.n = n
        self.image_shape = image_shape
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = secrets.randbelow(2**31) if seed is None else resolve_seed(seed)
        self.rescale = generator.rescale
        self.raw_pixels = generator.raw_pixels
        self.damaged = DamagedFiles()
        self.dtype = generator.dtype
        self._plan = BatchPlan(self.n, batch_size, shuffle, seed=self.seed)
        self.stream = _FlowStream(self)
        self._seeds = lru_cache(maxsize=2)(self._draw_seeds)
        self.lock = threading.Lock()
        self.batch_index = 0
        self.total_batches_seen = 0
        self._epoch = 0

    def __len__(self) -> int:
        return self._plan.num_batches

    def __iter__(self) -> "Flow":
        return self

    def __next__(self) -> Any:
        epoch, index = self._advance()
        # Only images that are asked for are saved: none is made ahead then.
        take = self._make_batch if self.save_to_dir else self.stream.take_uncounted
        return self._nest(take(epoch, index))

    def __getitem__(self, index: int) -> Any:
        """Batch `index` of the epoch that `next` is in; before that, of epoch 0."""
        if not 0 <= index < len(self):
            raise IndexError(
                f"`index` must be in [0, {len(self)}). Received: index={index}"
            )
        self._count_batch()
        return self._nest(self._make_batch(self._epoch, index))

    @property
    def image_data_generator(self) -> ImageTransforms:
        """The generator that made this flow."""
        return self.generator

    @property
    def index_array(self) -> np.ndarray | None:
        """Images in the order of the pass that began last; None before the first."""
        epoch = self.stream.next_epoch - 1
        return None if epoch < 0 else self._plan.order(epoch)

    @property
    def index_generator(self) -> Iterator[np.ndarray]:
        """Images of each batch in place of the batch: `next` goes on behind it."""
        while True:
            yield self._plan.rows(*self._advance())

    def reset(self) -> None:
        """Let the next batch begin an epoch."""
        with self.lock:
            self.batch_index = 0

    def dataset(self) -> tf.data.Dataset:
        """tf.data of the batches, one epoch a pass.

        Without shuffling, batches of nothing but damaged images are left out.
        """
        nothing = np.empty((0, *self.image_shape), self.generator.dtype)
        arrays = (nothing, *self._beside(np.arange(0), nothing))
        signature = tuple(
            tf.TensorSpec((None, *array.shape[1:]), tf.as_dtype(array.dtype))
            for array in arrays
        )
        stream, places = self.stream, self._places
        if len(places) < len(self):
            stream = BatchStream(
                lambda epoch, i: self._make_batch(epoch, places[i]), len(places)
            )
            stream.begin_epoch = self.stream.begin_epoch
        # tf.data would stack a list; Keras takes tuples in its place.
        return stream.dataset(signature).map(
            lambda *tensors: keras.tree.lists_to_tuples(self._nest(tensors))
        )

    @property
    def num_batches(self) -> int | None:
        """What Keras asks for: batches in an epoch; None (endless) if it counts steps.

        Raises:
            ValueError: it was given arguments it would drop for a DataAdapter.
        """
        caller = sys._getframe(1)
        _refuse_dropped_arguments(caller)
        return None if _counts_steps(caller) else len(self._places)

    def get_tf_dataset(self) -> tf.data.Dataset:
        """What Keras asks for: one pass, or an endless one if it counts steps."""
        if not _counts_steps(sys._getframe(1)):
            return self.dataset()
        # A batch made ahead of the last step would begin an epoch nobody sees.
        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False
        return self.dataset().repeat().with_options(options)

    @cached_property
    def _places(self) -> Sequence[int]:
        """Which batches of an epoch datasets show: those that can hold an image."""
        every = range(len(self))
        if self.shuffle:
            return every
        return self.damaged.readable_batches(
            (self._plan.rows(0, index) for index in every),
            self._look,
        )

    def _look(self, index: int) -> None:
        """Read image `index`, if it is a file, to see whether it is damaged."""

    def _advance(self) -> tuple[int, int]:
        """Epoch and index of the next batch."""
        with self.lock:
            if self.batch_index == 0:
                self._epoch = self.stream.next_epoch
                self.stream.next_epoch += 1
            index = self.batch_index
            self.batch_index = (index + 1) % len(self)
            self.total_batches_seen += 1
            return self._epoch, index

    def _count_batch(self) -> None:
        """Note that a batch was taken."""
        with self.lock:
            self.total_batches_seen += 1

    def _put_image(
        self, index: int, transform: Mapping[str, Any], out: np.ndarray
    ) -> None:
        """Write image `index`, transformed and standardized, to `out`."""
        raise NotImplementedError

    def _finish(self, image: np.ndarray, transform: Mapping[str, Any]) -> None:
        """Transform and standardize `image` where it stands."""
        transformed = self.generator.apply_transform(image, transform)
        finished = self.generator.standardize(transformed)
        if finished is not image:
            image[...] = finished

    def _beside(self, indices: np.ndarray, images: np.ndarray) -> Batch:
        """What a batch holds beside its images: extra inputs, targets, weights."""
        raise NotImplementedError

    def _nest(self, arrays: tuple[Any, ...]) -> Any:
        """Return the arrays or tensors of a batch in the structure Keras expects."""
        raise NotImplementedError

    def _draw_seeds(self, epoch: int) -> np.ndarray:
        """A seed for each place in the order of `epoch`."""
        rng = np.random.default_rng([self.seed, epoch, 1])
        return rng.integers(2**32, size=self.n)

    def _make_batch(self, epoch: int, index: int) -> Batch:
        # A shuffled epoch shows the images of another batch twice.
        for shift in range(len(self) if self.shuffle else 1):
            batch = self._read_batch(epoch, (index + shift) % len(self))
            if len(batch[0]):
                return batch
        raise ImageError(", ".join(self.damaged), "every image of a batch is damaged")

    def _read_batch(self, epoch: int, index: int) -> Batch:
        indices = self._plan.rows(epoch, index)
        seeds = self._seeds(epoch)[index * self.batch_size :][: len(indices)]
        images = aligned_empty((len(indices), *self.image_shape), self.generator.dtype)
        kept = []
        for position, (image, seed) in enumerate(zip(indices, seeds, strict=True)):
            transform = self.generator.get_random_transform(self.image_shape, seed)
            try:
                self._put_image(image, transform, images[len(kept)])
            except ImageError as error:
                self.damaged.leave_out(error)
            else:
                kept.append(position)
        images = images[: len(kept)]
        if self.save_to_dir:
            folder = Path(self.save_to_dir)
            self._save(folder, images, indices[kept], seeds[kept])
        return images, *self._beside(indices[kept], images)

    def _save(
        self, folder: Path, images: np.ndarray, indices: np.ndarray, seeds: np.ndarray
    ) -> None:
        for image, index, seed in zip(images, indices, seeds, strict=True):
            name = f"{self.save_prefix}_{index}_{seed % 10**7}.{self.save_format}"
            with replacing(folder / name, clean=False) as beside:
                keras.utils.save_img(beside, image, scale=True)


class _FlowStream(BatchStream):
    """Batches of a flow, which counts those that Keras takes."""

    def __init__(self, flow: Flow) -> None:
        super().__init__(flow._make_batch, len(flow))
        self._count = flow._count_batch

    def take(self, epoch: int, index: int) -> Batch:
        self._count()
        return self.take_uncounted(epoch, index)

    def take_uncounted(self, epoch: int, index: int) -> Batch:
        return super().take(epoch, index)


def _counts_steps(frame: FrameType) -> bool:
    """Whether a method of Keras's EpochIterator asks that was given a number of steps.

    Nothing it passes on tells whether `fit(flow)` wants one pass an epoch, or
    `fit(flow, steps_per_epoch=...)` batches without end.
    """
    if "self" not in frame.f_locals:
        return False
    epochs = frame.f_locals["self"]
    return isinstance(epochs, EpochIterator) and bool(epochs.steps_per_epoch)


def _refuse_dropped_arguments(frame: FrameType) -> None:
    if not isinstance(frame.f_locals.get("self"), EpochIterator):
        return
    for name in ("y", "sample_weight", "class_weight"):
        if frame.f_locals.get(name) is not None:
            raise ValueError(
                f"`{name}` must be None beside a flow: Keras would ignore it. "
                f"Received: {name}={frame.f_locals[name]!r:.60}. Pass "
                "`flow.dataset()` instead of the flow, or weights to the flow."
            )
