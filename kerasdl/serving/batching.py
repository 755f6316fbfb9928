"""Single inputs that arrive at the same time are answered by one call."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np

from kerasdl._checks import check_positive_int


class Batcher:
    """Calls a function on batches of what several threads submit one by one.

    One thread of its own makes the calls, so that there is one at a time; what arrives
    during a call waits for the next.

    Args:
        function: of a batch `(n, ...)`, n in [1, `max_batch`]; returns `(n, ...)`.
        max_batch: the most inputs of a call.
        max_wait_ms: how long the first input of a call waits for others, in
            milliseconds; 0 takes those that are there.

    Raises:
        ValueError: an argument outside its range.
    """

    def __init__(
        self,
        function: Callable[[np.ndarray], np.ndarray],
        max_batch: int = 32,
        max_wait_ms: float = 2.0,
    ) -> None:
        check_positive_int("max_batch", max_batch)
        if not 0 <= max_wait_ms <= 10_000:
            raise ValueError(
                "`max_wait_ms` must be in [0, 10000]. "
                f"Received: max_wait_ms={max_wait_ms!r}"
            )
        self._function = function
        self._max_batch = max_batch
        self._max_wait = max_wait_ms / 1000
        # Of rows and their futures; the last item is None.
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def submit(self, row: np.ndarray) -> Future:
        """Queue one input; the future gets its row of the answer.

        Raises:
            RuntimeError: after `close`.
        """
        future: Future = Future()
        with self._closing:  # nothing may come behind the last item
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._queue.put((row, future))
        return future

    def close(self) -> None:
        """Answer what is queued, then end the thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        more = True
        while more:
            batch, more = self._gather()
            # A caller who has gone is not answered.
            batch = [item for item in batch if item[1].set_running_or_notify_cancel()]
            if batch:
                self._answer(*zip(*batch, strict=True))

    def _gather(self) -> tuple[list[tuple[np.ndarray, Future]], bool]:
        """The next inputs, and whether there may be more after them."""
        batch = []
        end = None
        while len(batch) < self._max_batch:
            try:
                left = None if end is None else max(end - time.monotonic(), 0)
                item = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if item is None:
                return batch, False
            batch.append(item)
            end = end or time.monotonic() + self._max_wait
        return batch, True

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
