import gc
import os
import threading
import warnings
from concurrent.futures import wait

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdl.batches import BatchStream, aligned_empty, share_of, shared_stream
from kerasdl.batches._stream import MAX_WORKERS

SIGNATURE = (tf.TensorSpec((None, 2), tf.float32), tf.TensorSpec((None,), tf.int32))


def make_batch(epoch, index):
    """Two rows that tell their epoch and index."""
    return np.full((2, 2), epoch, "float32"), np.full(2, index, "int32")


def numbers(dataset):
    """(epoch, index) of each batch of one pass."""
    return [(int(x[0, 0]), int(y[0])) for x, y in dataset]


def one_pass(epoch, length):
    return [(epoch, index) for index in range(length)]


@pytest.fixture
def stream():
    return BatchStream(make_batch, 20, workers=3)


def test_each_pass_is_the_next_epoch_in_order(stream):
    dataset = stream.dataset(SIGNATURE)
    for epoch in range(3):
        assert numbers(dataset) == one_pass(epoch, 20)
    assert stream.next_epoch == 3


def test_a_resumed_run_begins_where_it_says(stream):
    stream.next_epoch = 7
    assert numbers(stream.dataset(SIGNATURE)) == one_pass(7, 20)
    assert stream.next_epoch == 8


def test_length_shapes_and_types_are_known(stream):
    dataset = stream.dataset(SIGNATURE)
    assert dataset.cardinality() == 20
    assert dataset.element_spec == SIGNATURE
    assert dataset.map(lambda x, y: x).prefetch(1).cardinality() == 20


def test_an_epoch_without_batches():
    assert numbers(BatchStream(make_batch, 0).dataset(SIGNATURE)) == []


def test_two_passes_at_once(stream):
    dataset = stream.dataset(SIGNATURE)
    pairs = [
        ((int(a[0][0, 0]), int(a[1][0])), (int(b[0][0, 0]), int(b[1][0])))
        for a, b in zip(dataset, dataset, strict=True)
    ]
    first, second = (list(one) for one in zip(*pairs, strict=True))
    assert first == one_pass(0, 20)
    assert second == one_pass(1, 20)


def test_many_passes_that_are_given_up_leave_little(stream):
    dataset = stream.dataset(SIGNATURE)
    for _ in range(10):
        next(iter(dataset))
    assert len(stream._futures) <= 4 * (3 + 2)
    assert numbers(dataset) == one_pass(10, 20)


def test_a_dataset_that_repeats_goes_on_with_the_next_epoch(stream):
    dataset = stream.dataset(SIGNATURE).repeat(2)
    assert numbers(dataset) == one_pass(0, 20) + one_pass(1, 20)


def test_batches_are_taken_by_number_in_any_order(stream):
    for epoch, index in [(4, 19), (0, 5), (4, 2), (0, 5), (1, 0)]:
        x, y = stream.take(epoch, index)
        assert (x[0, 0], y[0]) == (epoch, index)
    assert stream.next_epoch == 0


@pytest.mark.parametrize("workers", [1, 4])
def test_a_few_batches_are_made_ahead_and_no_more(workers):
    asked, running, most = set(), [], []

    def note(epoch, index):
        running.append(index)
        most.append(len(running))
        asked.add(index)
        running.remove(index)
        return make_batch(epoch, index)

    stream = BatchStream(note, 1000, workers)
    for index in range(10):
        stream.take(0, index)
    wait(stream._futures.values(), timeout=10)
    assert asked == set(range(10 + workers + 2))
    assert max(most) <= workers


def test_workers_work_at_the_same_time():
    meeting = threading.Barrier(3, timeout=10)

    def meet(epoch, index):
        meeting.wait()
        return make_batch(epoch, index)

    assert numbers(BatchStream(meet, 6, workers=3).dataset(SIGNATURE)) == one_pass(0, 6)


def test_the_pool_is_bounded_on_a_large_machine(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(256))
    assert BatchStream(make_batch, 3)._pool._max_workers == MAX_WORKERS


def test_an_exception_is_raised_where_its_batch_is_due():
    def fail(epoch, index):
        if index == 3:
            raise ValueError("cat.3.jpg: truncated")
        return make_batch(epoch, index)

    stream = BatchStream(fail, 8, workers=2)
    seen = []
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"cat\.3\.jpg: truncated"):
        for _, y in stream.dataset(SIGNATURE):
            seen.append(int(y[0]))
    assert seen == [0, 1, 2]
    with pytest.raises(ValueError, match=r"cat\.3\.jpg: truncated"):
        stream.take(0, 3)
    assert stream.take(0, 4)[1][0] == 4


def test_the_dataset_keeps_what_it_needs():
    dataset = BatchStream(make_batch, 5).dataset(SIGNATURE).prefetch(1)
    gc.collect()
    assert numbers(dataset) == one_pass(0, 5)
    keras.utils.clear_session()
    assert numbers(dataset) == one_pass(1, 5)


def test_many_streams_share_their_threads(stream):
    stream.take(0, 0)
    before = threading.active_count()
    for _ in range(5):
        BatchStream(make_batch, 20, workers=3).take(0, 0)
    assert threading.active_count() <= before + 3


def test_fit_takes_one_pass_an_epoch_and_never_runs_out_of_data():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    steps = []

    class Note(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            steps.append(self.params["steps"])

    train, valid = BatchStream(make_batch, 7), BatchStream(make_batch, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(
            train.dataset(SIGNATURE).prefetch(1),
            validation_data=valid.dataset(SIGNATURE).prefetch(1),
            epochs=3,
            shuffle=False,  # Keras warns of its default with every dataset
            verbose=0,
            callbacks=[Note()],
        )
    assert steps == [7]
    assert train.next_epoch == 3  # as a resumed run counts on
    assert valid.next_epoch == 3


@pytest.mark.parametrize("shape", [(3, 5, 7, 3), (1,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_aligned_arrays(shape, dtype):
    arrays = [aligned_empty(shape, dtype) for _ in range(5)]
    for array in arrays:
        assert array.ctypes.data % 64 == 0
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable


def nest(epoch, index):
    boxes = np.full((2, 3, 4), index, "float32")
    images = np.full((2, 5), epoch, "uint8")
    return {"images": images, "truth": (boxes, [np.full(2, 7), {"ids": np.arange(2)}])}


def test_a_batch_may_be_any_nest_of_arrays():
    spec = tf.nest.map_structure(
        lambda a: tf.TensorSpec((None, *a.shape[1:]), a.dtype), nest(0, 0)
    )
    dataset = BatchStream(nest, 3).dataset(spec)
    assert dataset.element_spec["images"] == spec["images"]
    for index, found in enumerate(dataset):
        boxes, rest = found["truth"]
        assert isinstance(rest, tuple)  # tf.data would stack a list
        np.testing.assert_array_equal(boxes, nest(0, index)["truth"][0])
        np.testing.assert_array_equal(rest[0], [7, 7])
        np.testing.assert_array_equal(rest[1]["ids"], [0, 1])
        np.testing.assert_array_equal(found["images"], nest(0, index)["images"])


def test_shares_of_a_nest_are_its_rows():
    spec = tf.nest.map_structure(
        lambda a: tf.TensorSpec((None, *a.shape[1:]), a.dtype), nest(0, 0)
    )
    stream = BatchStream(nest, 2)

    def make_share(epoch, index, number, of):
        rows = share_of(2, number, of)
        return tf.nest.map_structure(lambda a: a[rows], nest(epoch, index))

    make = shared_stream(stream, make_share, lambda epoch, index: np.arange(2), spec)
    found = list(make([1], 2))
    assert [int(count) for _, count in found] == [1, 1]
    for index, (share, _) in enumerate(found):
        np.testing.assert_array_equal(
            share["truth"][0], nest(0, index)["truth"][0][1:2]
        )
        np.testing.assert_array_equal(share["truth"][1][1]["ids"], [1])
    short = list(make([0, 1, 2], 3))  # fewer rows than shares: whole, counted once
    assert [int(count) for _, count in short] == [2, 0, 0] * 2
    assert all(len(share["images"]) == 2 for share, _ in short)
