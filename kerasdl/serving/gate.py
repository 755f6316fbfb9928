"""What every request passes first: its body, how many at once, headers, counts."""

import time

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .intake import Intake
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


class Gate:
    """An ASGI application in front of another: it gets bodies whole, within limits.

    One request too many gets 503 with `Retry-After`; each refusal is `{"error":
    text}`. HEAD is answered where GET is. It adds headers for browsers, and counts.

    Args:
        app: gets requests whose body is there.
        metrics: where answers are counted.
        intake: reads bodies.
        max_waiting: requests whose body is there and that are not answered.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, intake: Intake, max_waiting: int
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._intake = intake
        self._max_waiting = max_waiting
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

        if scope["method"] == "HEAD":  # the server leaves the content away
            scope = {**scope, "method": "GET"}
        try:
            if scope["method"] == "POST":
                await self._post(scope, receive, noted)
            else:
                await self._app(scope, receive, noted)
        finally:
            # Of paths that are no route there may be any number.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path, str(code or "gone")).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - start)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._metrics.in_flight.inc()
        try:
            async with self._intake.body(scope, receive) as body:
                if body is not None:
                    await self._answer(body, scope, receive, send)
        except HTTPException as error:
            await refusal(error)(scope, receive, send)
        finally:
            self._metrics.in_flight.dec()

    async def _answer(
        self, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if self._waiting >= self._max_waiting:
            text = f"{self._waiting} requests are waiting already; try again later"
            raise HTTPException(503, text, {"Retry-After": "1"})
        messages: list[Message] = [{"type": "http.request", "body": body}]

        async def there() -> Message:
            """The body, then waits for the client to go."""
            return messages.pop() if messages else await receive()

        self._waiting += 1
        try:
            await self._app(scope, there, send)
        finally:
            self._waiting -= 1


def refusal(error: HTTPException) -> JSONResponse:
    """An error as every one is told."""
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)
