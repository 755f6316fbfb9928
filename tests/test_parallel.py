import os
import threading
from itertools import count, islice

import pytest

from kerasdl._parallel import map_ahead, num_cpus


def test_results_come_in_the_order_of_the_items():
    first_may_end = threading.Event()

    def square(number):
        if number == 0:
            first_may_end.wait(10)  # the others end before it
        if number == 3:
            first_may_end.set()
        return number * number

    assert list(map_ahead(square, range(20), workers=2)) == [n * n for n in range(20)]


@pytest.mark.parametrize("workers", [1, 3])
def test_at_most_four_items_a_worker_are_taken_ahead(workers):
    taken = []

    def items():
        for number in count():
            taken.append(number)
            yield number

    results = map_ahead(lambda number: number, items(), workers)
    assert list(islice(results, 100)) == list(range(100))
    assert len(taken) == 100 + 4 * workers
    results.close()


def test_as_many_threads_as_workers():
    meeting = threading.Barrier(3, timeout=10)
    list(map_ahead(lambda _: meeting.wait(), range(3), workers=3))
    names = map_ahead(lambda _: threading.current_thread().name, range(99), workers=2)
    assert len(set(names)) <= 2


def test_an_exception_is_raised_where_its_result_is_due():
    results = map_ahead(lambda number: 6 // (3 - number), range(100), workers=2)
    assert list(islice(results, 3)) == [2, 3, 6]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


def test_what_is_given_up_is_not_computed():
    done = []
    results = map_ahead(done.append, count(), workers=1)
    next(results)
    results.close()
    assert len(done) <= 5


def test_no_items():
    assert list(map_ahead(str, [])) == []


def test_one_worker_a_processor_that_may_be_used():
    assert num_cpus() == len(os.sched_getaffinity(0))
