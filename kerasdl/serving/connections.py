"""Connections: how many, how long they may say nothing, and what they may log."""

import asyncio
import logging
import os

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_MOST_CONNECTIONS = 1000
# Bytes taken from a connection at a time: between, the event loop turns to others.
_AT_A_TIME = 1 << 16
# A body in parts of one byte costs a hundred times what its bytes cost.
_SPARE_PARTS = 1000
_LEAST_PART = 100
_LOG_SECONDS = 60


def most_connections() -> int:
    """Connections at a time: the model, photos and a queue open files as well."""
    if not hasattr(os, "sysconf"):  # Windows, which has no such limit
        return _MOST_CONNECTIONS
    return min(os.sysconf("SC_OPEN_MAX") // 2, _MOST_CONNECTIONS)


class Rarely(logging.Filter):
    """Lets what is logged again through once a minute: strangers cause it at will."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written: what differs below its first line is the same."""
        line = str(record.msg).partition("\n")[0]
        key = line, record.exc_info and record.exc_info[0]
        if record.created < self._last.get(key, -_LOG_SECONDS) + _LOG_SECONDS:
            return False
        self._last[key] = record.created
        return True


class _Connection(h11.Connection):
    """h11's, which reads a body in parts of a byte each as long as it likes."""

    _parts = 0
    _bytes = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._parts = self._bytes = 0
        if isinstance(event, h11.Data):
            self._parts += 1
            self._bytes += len(event.data)
            if self._parts > _SPARE_PARTS + self._bytes // _LEAST_PART:
                raise h11.RemoteProtocolError("the parts of the body are too small")
        return event


class Protocol(H11Protocol):
    """uvicorn's, which has neither a limit of connections nor one of their silence.

    Those that say nothing would take all the files that a process may open. One too
    many ends that which has said nothing for longest.

    Attributes:
        head_seconds: in which the head of a request must have come, and in which a
            client must take some of an answer.
        most: connections at a time.
        idle: those without a request under way, the longest first; of all connections
            of a server.
    """

    head_seconds: float
    most: int
    idle: dict["Protocol", None]

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin."""
        super().connection_made(transport)
        transport.max_size = _AT_A_TIME  # pyright: ignore[reportAttributeAccessIssue]
        self.conn = _Connection(h11.SERVER)
        self._writing: asyncio.TimerHandle | None = None
        self._expect_head()
        if len(self.connections) > self.most:
            silent = next(iter(self.idle))
            del self.idle[silent]
            silent.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self.idle.pop(self, None)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Go on with a request."""
        super().data_received(data)
        if self._is_busy():
            self.idle.pop(self, None)

    def eof_received(self) -> bool:
        """The client sends no more; it gets the answer to a whole request."""
        is_whole = self._is_busy() and not self.cycle.more_body
        if is_whole:
            self.cycle.keep_alive = False
        return is_whole

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if not self._is_busy():  # else it has come with the last one
            self._expect_head()

    def pause_writing(self) -> None:
        """The client does not take its answer."""
        super().pause_writing()
        self._writing = self.loop.call_later(self.head_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes its answer."""
        super().resume_writing()
        if self._writing:
            self._writing.cancel()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, unless an answer has begun."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.abort()

    def _expect_head(self) -> None:
        self.idle.pop(self, None)
        self.idle[self] = None
        self.loop.call_later(self.head_seconds, self._close_idle, self.cycle)

    def _close_idle(self, last: RequestResponseCycle | None) -> None:
        if self.cycle is last and not self._is_busy():
            self.transport.close()

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete
