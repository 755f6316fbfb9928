import queue
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from kerasdl.serving.batching import Batcher


class Doubled:
    """Doubles rows, notes the size of each call, and is held in its first one."""

    def __init__(self, held=False):
        self.sizes = []
        self.began, self.go = threading.Event(), threading.Event()
        if not held:
            self.go.set()

    def __call__(self, batch):
        self.sizes.append(len(batch))
        self.began.set()
        assert self.go.wait(60)
        if (batch < 0).any():
            raise ArithmeticError("below zero")
        return 2 * batch


@pytest.fixture
def make():
    batchers = []

    def batcher(*args):
        batchers.append(Batcher(*args))
        return batchers[-1]

    yield batcher
    for each in batchers:
        each.close()


def test_a_full_batch_does_not_wait(make):
    double = Doubled()
    batcher = make(double, 4, 10_000)  # alone, one would wait ten seconds
    futures = [batcher.submit(np.array([i, i + 1])) for i in range(8)]
    for i, future in enumerate(futures):
        assert future.result(9).tolist() == [2 * i, 2 * i + 2]
    assert double.sizes == [4, 4]


def test_what_arrives_during_a_call_shares_the_next(make):
    double = Doubled(held=True)
    batcher = make(double, 3, 0)
    futures = [batcher.submit(np.array(0))]
    assert double.began.wait(60)
    futures += [batcher.submit(np.array(i)) for i in range(1, 6)]
    double.go.set()
    assert [int(future.result(60)) for future in futures] == [0, 2, 4, 6, 8, 10]
    assert double.sizes == [1, 3, 2]


def test_an_error_is_that_of_its_batch_alone(make):
    double = Doubled(held=True)
    batcher = make(double, 2, 0)
    good = [batcher.submit(np.array(1))]
    assert double.began.wait(60)
    bad = [batcher.submit(np.array(value)) for value in (-1, 1)]
    good.append(batcher.submit(np.array(3)))
    double.go.set()
    for future in bad:
        with pytest.raises(ArithmeticError, match="below zero"):
            future.result(60)
    assert [int(future.result(60)) for future in good] == [2, 6]


def test_rows_that_do_not_fit_together_are_an_error_too(make):
    double = Doubled(held=True)
    batcher = make(double, 2, 0)
    first = batcher.submit(np.zeros(2))
    assert double.began.wait(60)
    futures = [batcher.submit(np.zeros(shape)) for shape in (2, 3)]
    double.go.set()
    first.result(60)
    for future in futures:
        with pytest.raises(ValueError, match="same shape"):
            future.result(60)
    assert batcher.submit(np.ones(1)).result(60).tolist() == [2]


def test_who_has_gone_is_not_computed(make):
    double = Doubled(held=True)
    batcher = make(double, 4, 0)
    first = batcher.submit(np.array(0))
    assert double.began.wait(60)
    gone, stays = batcher.submit(np.array(1)), batcher.submit(np.array(2))
    assert gone.cancel()
    double.go.set()
    assert (int(first.result(60)), int(stays.result(60))) == (0, 4)
    with pytest.raises(CancelledError):
        gone.result(60)
    assert double.sizes == [1, 1]


def test_close_answers_what_is_queued(make):
    double = Doubled(held=True)
    batcher = make(double, 2, 0)
    futures = [batcher.submit(np.array(i)) for i in range(5)]
    closing = threading.Thread(target=batcher.close)
    closing.start()
    double.go.set()
    closing.join(60)
    assert [int(future.result(0)) for future in futures] == [0, 2, 4, 6, 8]
    batcher.close()
    with pytest.raises(RuntimeError, match="the batcher is closed"):
        batcher.submit(np.array(1))


def test_what_is_made_is_answered_and_its_error_told(make):
    double = Doubled(held=True)
    batcher = make(double, 8)
    first = batcher.submit_made(lambda: np.array(1))
    assert double.began.wait(60)

    def fails():
        raise ArithmeticError("not made")

    bad = batcher.submit_made(fails)
    with pytest.raises(ArithmeticError, match="not made"):  # while the call is held
        bad.result(60)
    gone = batcher.submit_made(lambda: np.array(-1))
    # Either not made, or made and not computed.
    assert gone.cancel()
    double.go.set()
    assert int(first.result(60)) == 2
    assert int(batcher.submit_made(lambda: np.array(3)).result(60)) == 6
    assert double.sizes == [1, 1]


def test_what_is_alone_waits_for_nobody(make, monkeypatch):
    waits = set()

    class Watched(queue.SimpleQueue):
        def get(self, block=True, timeout=None):
            waits.add(timeout)
            return super().get(block, timeout)

    monkeypatch.setattr(queue, "SimpleQueue", Watched)
    batcher = make(Doubled())
    assert int(batcher.submit(np.array(2)).result(60)) == 4
    assert 0 in waits and waits <= {0, None}  # the threads themselves wait for ever


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0,), "`max_batch` must be an integer of at least 1"),
        ((1, -1), r"`max_wait_ms` must be in \[0, 10000\]. Received: max_wait_ms=-1"),
        ((1, float("nan")), "`max_wait_ms` must be in"),
    ],
)
def test_bad_arguments_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        Batcher(Doubled(), *args)


def test_a_call_that_answers_too_little_is_the_callers_error(make):
    batcher = make(lambda rows: rows[:-1] if (rows > 5).any() else rows)
    with pytest.raises(ValueError, match="shorter"):
        batcher.submit(np.array(7)).result(60)
    assert int(batcher.submit(np.array(1)).result(60)) == 1


def test_several_calls_at_a_time(make):
    both = threading.Barrier(2)

    def function(rows):
        both.wait(60)
        return rows

    batcher = make(function, 1, 0, 2)
    futures = [batcher.submit(np.array(i)) for i in range(4)]
    assert [int(future.result(60)) for future in futures] == [0, 1, 2, 3]
