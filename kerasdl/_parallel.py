"""Threads for work that releases the interpreter lock."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def num_cpus() -> int:
    """Processors this process may use: at most what its affinity mask allows."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int | None = None,
) -> Iterator[Result]:
    """Yield `function(item)` in the order of `items`, computed by a pool of threads.

    At most four items a worker are under way, so memory does not grow with the
    number of items. An exception of `function` is raised where its result is due.

    Args:
        function: called in several threads at once.
        items: arguments of `function`, taken as they are needed.
        workers: number of threads; None takes one for each processor.
    """
    workers = workers or num_cpus()
    items = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        pending = deque(pool.submit(function, i) for i in islice(items, 4 * workers))
        try:
            while pending:
                result = pending.popleft().result()
                pending.extend(pool.submit(function, i) for i in islice(items, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()
