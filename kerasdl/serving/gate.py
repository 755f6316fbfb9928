"""What every request passes first: how many at once, how large, how slow."""

import asyncio
import time
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import Metrics

# The page loads nothing from elsewhere, and no other page may hold it in a frame.
_RULES = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _RULES.items()]
_DRAINED = 4  # times the limit that is read of too large a body before it is answered


class Gate:
    """An ASGI application in front of another: it reads bodies whole, within limits.

    A request that is too large gets 413, one that comes too slowly 408, and one too
    many 503 with `Retry-After`, each with `{"error": text}`. It adds headers for
    browsers, and counts.

    Args:
        app: gets requests whose body is there.
        metrics: where answers are counted.
        max_bytes: of a body.
        max_waiting: requests with a body that are under way at once.
        body_seconds: in which a body must have arrived.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        max_bytes: int,
        max_waiting: int,
        body_seconds: float,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._max_bytes = max_bytes
        self._max_waiting = max_waiting
        self._body_seconds = body_seconds
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        code = None

        async def noted(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        try:
            if scope["method"] in ("GET", "HEAD"):
                await self._app(scope, receive, noted)
            else:
                await self._with_body(scope, receive, noted)
        finally:
            # Of paths that are no route there may be any number.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path, str(code or "gone")).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - start)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._waiting >= self._max_waiting:
            error = f"{self._waiting} requests are waiting already; try again later"
            await _refusal(503, error, {"Retry-After": "1"})(scope, receive, send)
            return
        self._waiting += 1
        self._metrics.in_flight.inc()
        try:
            async with asyncio.timeout(self._body_seconds):
                body, size = await self._read(receive)
        except TimeoutError:
            error = f"the body did not arrive in {self._body_seconds:g} seconds"
            await _refusal(408, error)(scope, receive, send)
        else:
            if size > self._max_bytes:
                error = f"the body must be at most {self._max_bytes} bytes"
                await _refusal(413, error)(scope, receive, send)
            elif body is not None:
                await self._app(scope, _there(body, receive), send)
        finally:
            self._waiting -= 1
            self._metrics.in_flight.dec()

    async def _read(self, receive: Receive) -> tuple[bytes | None, int]:
        """The body, None when the client has gone, and how much of it was read.

        Of too large a body the rest is read and dropped: a client that still sends
        would not see the answer.
        """
        chunks: list[bytes] = []
        size = 0
        while size <= _DRAINED * self._max_bytes:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None, 0
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_bytes:
                chunks.clear()
            else:
                chunks.append(chunk)
            if not message.get("more_body", False):
                break
        return b"".join(chunks), size


def _there(body: bytes, receive: Receive) -> Receive:
    """A `receive` that has the body, then waits for the client to go."""
    messages: list[Message] = [{"type": "http.request", "body": body}]

    async def there() -> Message:
        return messages.pop() if messages else await receive()

    return there


def _refusal(status: int, error: str, headers: Any = None) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers)
