"""Single inputs that arrive at the same time are answered by one call."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from kerasdl._checks import check_positive_int
from kerasdl._parallel import num_cpus


class Batcher:
    """Calls a function on batches of what several threads submit one by one.

    What arrives during a call waits for the next. The threads make what is submitted,
    too, and the one that has made an input calls with it when no other does: no third
    thread is woken in between.

    Args:
        function: of a batch `(n, ...)`, n in [1, `max_batch`]; returns `(n, ...)`.
        max_batch: the most inputs of a call.
        max_wait_ms: how long the first input of a call waits for others, in
            milliseconds; 0 takes those that are there.
        num_calls: at a time; `function` is called in as many threads.

    Attributes:
        threads: for other work that makes an input; until `close`.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        function: Callable[[np.ndarray], np.ndarray],
        max_batch: int = 32,
        max_wait_ms: float = 0.0,
        num_calls: int = 1,
    ) -> None:
        check_positive_int("max_batch", max_batch)
        check_positive_int("num_calls", num_calls)
        if not 0 <= max_wait_ms <= 10_000:
            raise ValueError(
                "`max_wait_ms` must be in [0, 10000]. "
                f"Received: max_wait_ms={max_wait_ms!r}"
            )
        self._function = function
        self._max_batch = max_batch
        self._max_wait = max_wait_ms / 1000
        self._rows: queue.SimpleQueue = queue.SimpleQueue()  # with their futures
        self._calling = threading.Semaphore(num_calls)
        # While some call, others make what the next call takes.
        self.threads = ThreadPoolExecutor(num_cpus() + 1)

    def submit(self, row: np.ndarray) -> Future:
        """Queue one input; the future gets its row of the answer.

        Raises:
            RuntimeError: after `close`.
        """
        future: Future = Future()
        self._rows.put((row, future))
        self._begin(self._work)
        return future

    def submit_made(self, make: Callable[[], np.ndarray]) -> Future:
        """`submit` what `make` returns, which a thread calls; or its error.

        Raises:
            RuntimeError: after `close`.
        """
        future: Future = Future()
        self._begin(self._make, make, future)
        return future

    def close(self) -> None:
        """Answer what is queued, then end the threads."""
        self.threads.shutdown()

    def _begin(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            self.threads.submit(work, *arguments)
        except RuntimeError as error:
            raise RuntimeError("the batcher is closed") from error

    def _make(self, make: Callable[[], np.ndarray], future: Future) -> None:
        if future.cancelled():
            return
        try:
            row = make()
        except Exception as error:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
            return
        self._rows.put((row, future))
        self._work()

    def _work(self) -> None:
        """Call until nothing is queued, unless other threads do."""
        # Who finds no call free has queued before: those that call look once more.
        while not self._rows.empty() and self._calling.acquire(blocking=False):
            try:
                # A caller who has gone is not answered.
                batch = [
                    item
                    for item in self._gather()
                    if item[1].set_running_or_notify_cancel()
                ]
                if batch:
                    self._answer(*zip(*batch, strict=True))
            finally:
                self._calling.release()

    def _gather(self) -> list[tuple[np.ndarray, Future]]:
        """The next inputs: there may be none, as another thread was faster."""
        batch = []
        end = 0.0
        while len(batch) < self._max_batch:
            try:
                left = max(end - time.monotonic(), 0)
                batch.append(self._rows.get(timeout=left))
            except queue.Empty:
                break
            end = end or time.monotonic() + self._max_wait
        return batch

    def _answer(self, rows: tuple[np.ndarray], futures: tuple[Future]) -> None:
        try:
            answers = self._function(np.stack(rows))
            answered = list(zip(futures, answers, strict=True))
        except Exception as error:  # it is the callers', and the next batch goes on
            for future in futures:
                future.set_exception(error)
            return
        for future, answer in answered:
            future.set_result(answer)
