"""uvicorn on a socket that is bound before the model loads, and that stops in order."""

import ipaddress
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import LOGGING_CONFIG
from uvicorn.logging import AccessFormatter, DefaultFormatter

from .connections import Protocol, Rarely, most_connections

_STOP_SECONDS = 30  # for what is under way when the server is told to stop
_QUEUE = 1024  # connections that the system takes for a process that is busy
# Connections that asyncio takes at a time, before any of them can be refused.
_TAKEN_AT_A_TIME = 16


def bind(host: str = "127.0.0.1", port: int = 8501) -> socket.socket:
    """A TCP socket that listens on `host` and `port`; 0 takes a free port.

    From now on a second one is refused; who connects waits until a server runs.

    Raises:
        ValueError: the port is taken, or `host` is no address of this machine.
    """
    received = f"Received: host={host!r}, port={port}"
    try:
        ((family, kind, protocol, _, address), *_) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ValueError(f"`host` must be an address. {received} ({error})") from error
    try:
        # A port that was served a moment ago is free; one that is served now is not.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # Two may be bound to a port that nobody listens on.
        bound.listen(_QUEUE)
    except OSError as error:
        bound.close()
        raise ValueError(
            "`host` and `port` must be an address of this machine and a free port (0 "
            f"takes one). {received} ({error.strerror})"
        ) from error
    return bound


class Server(uvicorn.Server):
    """Serves an application on a bound socket.

    It has at most 1,000 connections and at most half as many as the process may open
    files; one more ends that which has been silent for longest.

    Args:
        app: the application.
        bound: the socket.
        on_ready: called when requests are answered.
        access_log: print a line for each request.
        head_seconds: in which a connection must have sent the head of a request, and in
            which a client must take some of an answer.

    Attributes:
        url: the address.
        is_loopback: whether only this machine reaches it.
        thread: that it serves in, if another one than the main one.
    """

    def __init__(
        self,
        app: ASGIApp,
        bound: socket.socket,
        on_ready: Callable[[], None] | None = None,
        access_log: bool = False,
        head_seconds: float = 10,
    ) -> None:
        of_server = {
            "head_seconds": head_seconds,
            "most": most_connections(),
            "idle": {},
        }
        protocol = type("Protocol", (Protocol,), of_server)
        _write_log()
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            backlog=_TAKEN_AT_A_TIME,
            log_config=None,
            lifespan="on",
            log_level="info" if access_log else "warning",
            access_log=access_log,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        super().__init__(config)
        host, port = bound.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self.is_loopback = ipaddress.ip_address(host).is_loopback
        self._bound = bound
        self._on_ready = on_ready
        self.thread: threading.Thread | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._bound.listen(_QUEUE)  # again: asyncio has shortened the queue
        if self._on_ready:
            self._on_ready()

    def stop(self) -> None:
        """Answer what is under way, then end; returns when that is done."""
        self.should_exit = True
        if self.thread is not None:
            self.thread.join()

    def run_until_stopped(self) -> None:
        """Serve until SIGINT or SIGTERM, and answer what is under way by then.

        In another thread than the main one: until `should_exit` is set.
        """
        if threading.current_thread() is threading.main_thread():
            # uvicorn raises the signal once more when it has stopped.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
        self.run(sockets=[self._bound])


def _write_log() -> None:
    """Give uvicorn's loggers their handlers.

    Its own way, `logging.config.dictConfig`, closes the handlers of the whole process.
    """
    formats = LOGGING_CONFIG["formatters"]
    error = logging.StreamHandler(sys.stderr)
    error.setFormatter(DefaultFormatter(formats["default"]["fmt"]))
    access = logging.StreamHandler(sys.stdout)
    access.setFormatter(AccessFormatter(formats["access"]["fmt"]))
    for name, handler in (("uvicorn", error), ("uvicorn.access", access)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO)
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        if not any(isinstance(known, Rarely) for known in logger.filters):
            logger.addFilter(Rarely())
