"""Batches made by a pool of threads, a few ahead, handed to tf.data in order."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import DTypeLike

from kerasdl._parallel import num_cpus

Batch = Any  # a nest of arrays, such as a tuple, one row of each for each example
MAX_WORKERS = 16  # each holds a batch in memory, and a few more wait


class BatchStream:
    """`make_batch(epoch, index)` computed ahead of its consumer, epoch after epoch.

    A batch is a pure function of its epoch and index. So nothing here can go stale:
    what is not ready is computed, what is never fetched is dropped, and two passes
    at once get the same batches. Work is queued only when a batch is taken, one
    batch a task: a pass that is given up holds no thread, and leaves a few batches
    that the next passes push out.

    Args:
        make_batch: returns one batch, any nest of arrays; called from several threads.
        num_batches: batches in an epoch.
        workers: threads; None takes one for each processor, at most `MAX_WORKERS`.

    Attributes:
        next_epoch: number of the epoch that the next pass begins; each pass adds one.
    """

    def __init__(
        self,
        make_batch: Callable[[int, int], Batch],
        num_batches: int,
        workers: int | None = None,
    ) -> None:
        self.make_batch = make_batch
        self.num_batches = num_batches
        self.next_epoch = 0
        workers = workers or min(num_cpus(), MAX_WORKERS)
        self._ahead = workers + 2
        self._pool = _pool(workers)
        self._futures: dict[tuple[int, int], Future] = {}
        self._lock = threading.Lock()

    @property
    def epoch(self) -> int:
        """Number of the pass that began last; 0 before the first."""
        return max(self.next_epoch - 1, 0)

    def begin_epoch(self) -> np.int64:
        """Number of the pass that begins now."""
        with self._lock:
            epoch = self.next_epoch
            self.next_epoch += 1
        return np.int64(epoch)

    def take(self, epoch: int, index: int) -> Batch:
        """Return batch `index` of `epoch`; queue those that follow it."""
        last = min(index + self._ahead, self.num_batches - 1)
        with self._lock:
            for key in ((epoch, i) for i in range(index, last + 1)):
                if key not in self._futures:
                    self._futures[key] = self._pool.submit(self.make_batch, *key)
            future = self._futures.pop((epoch, index))
            # A pass that was given up leaves its batches: the oldest go first.
            while len(self._futures) > 4 * self._ahead:
                self._futures.pop(next(iter(self._futures))).cancel()
        return future.result()

    def dataset(self, signature: Any) -> tf.data.Dataset:
        """tf.data over one epoch a pass.

        Args:
            signature: the nest of a batch, with a `tf.TensorSpec` for each array: its
                shape and dtype. Lists in it become tuples, as tf.data stacks lists.
        """
        signature = keras.tree.lists_to_tuples(signature)
        specs = tf.nest.flatten(signature)

        def arrays(epoch: np.ndarray, index: np.ndarray) -> list[np.ndarray]:
            return tf.nest.flatten(self.take(int(epoch), int(index)))

        def one_epoch(_: tf.Tensor) -> tf.data.Dataset:
            epoch = tf.numpy_function(self.begin_epoch, [], tf.int64)
            return tf.data.Dataset.range(self.num_batches).map(lambda i: (epoch, i))

        def take(epoch: tf.Tensor, index: tf.Tensor) -> Any:
            dtypes = [spec.dtype for spec in specs]
            found = tf.numpy_function(arrays, (epoch, index), dtypes)
            shaped = [
                tf.ensure_shape(array, spec.shape)
                for array, spec in zip(found, specs, strict=True)
            ]
            return tf.nest.pack_sequence_as(signature, shaped)

        dataset = tf.data.Dataset.from_tensors(0).flat_map(one_epoch).map(take)
        cardinality = tf.data.experimental.assert_cardinality(self.num_batches)
        return without_tuner(dataset.apply(cardinality))


def without_tuner(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """`dataset` where there is nothing to tune.

    The tuner's thread may hold up the end of a pass, by a minute at times.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    """All streams share their threads: TensorFlow never lets go of a stream it used."""
    return ThreadPoolExecutor(workers, thread_name_prefix="kerasdl")


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Like `np.empty`, at an address TensorFlow takes over without a copy."""
    alignment = 64  # EIGEN_MAX_ALIGN_BYTES of TensorFlow's builds
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = np.empty(size + alignment, np.uint8)
    start = -buffer.ctypes.data % alignment
    return buffer[start : start + size].view(dtype).reshape(shape)
