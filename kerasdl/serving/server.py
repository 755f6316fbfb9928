"""uvicorn on a socket that is bound before the model loads, and that stops in order."""

import asyncio
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_STOP_SECONDS = 30  # for what is under way when the server is told to stop


def bind(host: str = "127.0.0.1", port: int = 8501) -> socket.socket:
    """A TCP socket of `host` and `port`; 0 takes a free port.

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
    except OSError as error:
        bound.close()
        raise ValueError(
            "`host` and `port` must be an address of this machine and a free port (0 "
            f"takes one). {received} ({error.strerror})"
        ) from error
    return bound


class _Protocol(H11Protocol):
    """uvicorn's, which waits for the head of a request for ever.

    A thousand connections that say nothing would take all the files a process may open.
    """

    head_seconds: float

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._expect_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._expect_head()

    def _expect_head(self) -> None:
        self.loop.call_later(self.head_seconds, self._close_idle, self.cycle)

    def _close_idle(self, last: RequestResponseCycle | None) -> None:
        is_idle = last is None or last.response_complete
        if self.cycle is last and is_idle and not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """Serves an application on a bound socket.

    Args:
        app: the application.
        bound: the socket.
        on_ready: called when requests are answered.
        access_log: print a line for each request.
        head_seconds: in which a connection must have sent the head of a request.

    Attributes:
        url: the address.
        is_loopback: whether only this machine reaches it.
    """

    def __init__(
        self,
        app: ASGIApp,
        bound: socket.socket,
        on_ready: Callable[[], None] | None = None,
        access_log: bool = False,
        head_seconds: float = 10,
    ) -> None:
        protocol = type("Protocol", (_Protocol,), {"head_seconds": head_seconds})
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self._on_ready:
            self._on_ready()

    def run_until_stopped(self) -> None:
        """Serve until SIGINT or SIGTERM, and answer what is under way by then.

        In another thread than the main one: until `should_exit` is set.
        """
        if threading.current_thread() is threading.main_thread():
            # uvicorn raises the signal once more when it has stopped.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
        self.run(sockets=[self._bound])
