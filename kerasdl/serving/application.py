"""What each server has around its model: a page, its state, and answers to errors."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .connections import most_connections
from .gate import Gate, refusal
from .intake import Intake
from .metrics import Metrics

_MOST_ARRIVING = 256
# Of a page of photos the only files that are served, read once.
PHOTO_PAGE = {
    "": ("index.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}


def intake_of(max_bytes: int, max_memory: int, body_seconds: float) -> Intake:
    """The intake of a server's bodies."""
    # Some connections are left for those that bring no body.
    max_arriving = min(most_connections() // 2, _MOST_ARRIVING)
    return Intake(max_bytes, max_memory, body_seconds, max_arriving)


def application(
    routes: list[Route],
    page: Mapping[str, tuple[str, str]],
    metrics: Metrics,
    intake: Intake,
    max_waiting: int,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
) -> ASGIApp:
    """An application of `routes`, of a page, `/healthz` and `/metrics`.

    Args:
        routes: of the model.
        page: by path, a file in page/ and its media type: all files that are served.
        metrics: of the server.
        intake: of bodies.
        max_waiting: as in `create_app`.
        lifespan: what begins and ends with the server.
    """

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def counts(request: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": metrics.content_type})

    routes = [*routes, Route("/healthz", healthz), Route("/metrics", counts)]
    for path, (file, media_type) in page.items():
        content = files("kerasdl.serving").joinpath("page", file).read_bytes()
        routes.append(Route(f"/{path}", _constant(content, media_type)))
    app = Starlette(
        routes=routes,
        # Starlette gives each the errors that it names; its type has them take all.
        exception_handlers={  # pyright: ignore[reportArgumentType]
            HTTPException: _refused,
            Exception: _failure,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return Gate(app, metrics, intake, max_waiting)


def _constant(
    content: bytes, media_type: str
) -> Callable[[Request], Awaitable[Response]]:
    """A route that answers with `content`."""

    async def route(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return route


async def _refused(request: Request, error: HTTPException) -> Response:
    """The answer to what is refused."""
    headers = dict(error.headers or {})
    if error.status_code == 405:
        methods = {*headers["Allow"].split(", "), "OPTIONS"}
        methods |= {"HEAD"} if "GET" in methods else set()
        headers["Allow"] = ", ".join(sorted(methods))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    return refusal(HTTPException(error.status_code, error.detail, headers))


async def _failure(request: Request, error: Exception) -> JSONResponse:
    """The answer where the server itself fails."""
    return JSONResponse({"error": "the server failed; its log says why"}, 500)
