"""The routes: TensorFlow Serving's, the page's, and the operator's."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kerasdl._checks import check_positive_int

from . import rest_api
from .application import PHOTO_PAGE, application, intake_of
from .budget import Budget
from .served_model import ServedModel
from .studio import Studio
from .upload import read_form

# A model may be named with a version, or with a label.
_MODEL = "/v1/models/{name}"
_MODELS = (_MODEL, _MODEL + "/versions/{version}", _MODEL + "/labels/{label}")
_READERS = 16


def create_app(
    model: ServedModel,
    max_bytes: int = 10_000_000,
    max_pixels: int = 50_000_000,
    max_images: int = 32,
    max_waiting: int = 64,
    max_memory: int = 300_000_000,
    body_seconds: float = 10,
) -> ASGIApp:
    """The ASGI application that answers for one model.

    - GET `/v1/models`, `/v1/models/NAME`, `/v1/models/NAME/metadata` and POST
      `/v1/models/NAME:predict`, each also below `/versions/1`, as TensorFlow Serving;
      there are no labels, and neither `:classify` nor `:regress`.
    - POST `/classify`: image files as `multipart/form-data`, in fields `image`; answers
      `{"images": [{"labels": [...], "top": [{"label": ..., "probability": ...}],
      "unsure": false, "unlike": false}]}`, `unlike` the training photos.
    - GET `/`: a page that does so in a browser. `/healthz`, `/metrics`.

    HEAD and OPTIONS are answered where GET is. Bodies may be compressed by gzip. Every
    error is `{"error": text}`. Nothing that a client sends names a file here.

    Memory has a bound over all requests: `max_memory` for bodies and what they become
    (`Intake` says how), up to 20 bytes for each of `max_pixels`, and the pictures of
    two calls of the model.

    Args:
        model: it is closed when the server stops.
        max_bytes: of a request's body.
        max_pixels: of all image files of a request together that are decoded, and of
            all requests at a time.
        max_images: of a request.
        max_waiting: requests under way at once; one more gets 503. Bodies that are
            still on their way do not count.
        max_memory: bytes; at least `4 * max_bytes`.
        body_seconds: in which a body must come, and a second more for each 10 kB.

    Raises:
        ValueError: an argument outside its range.
    """
    limits = {
        "max_bytes": max_bytes,
        "max_pixels": max_pixels,
        "max_images": max_images,
        "max_waiting": max_waiting,
        "max_memory": max_memory,
    }
    for name, value in limits.items():
        check_positive_int(name, value)
    intake = intake_of(max_bytes, max_memory, body_seconds)
    studio = Studio(model, max_pixels)
    readers = ThreadPoolExecutor(_READERS)
    # All readers share one interpreter, and what bodies become on the way is not in
    # `max_memory`: as many are read at a time as one large one, the small ones first.
    reading = Budget(max_bytes)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        readers.shutdown()
        model.close()

    def check(name: str, version: str = rest_api.VERSION, label: str = "") -> None:
        if ":" in name:  # a GET
            raise HTTPException(405, "Method Not Allowed", {"Allow": "POST"})
        if label:
            raise HTTPException(404, "versions have no labels on this server")
        if (name, version) != (model.name, rest_api.VERSION):
            raise HTTPException(
                404,
                "there is no such model. This server has "
                f"/v1/models/{model.name}/versions/{rest_api.VERSION}",
            )

    async def models(request: Request) -> Response:
        return JSONResponse({"models": [model.name]})

    async def predict(request: Request) -> Response:
        asked = dict(request.path_params)
        verb = asked.pop("verb")
        check(**asked)
        rest_api.check_verb(verb)
        body = await request.body()
        async with reading.hold(len(body)):
            run = asyncio.get_running_loop().run_in_executor
            read = rest_api.read_predict
            sent = await run(readers, read, body, model.image_size, max_images)
        if sent.files:
            rows = await studio.of_files(sent.files, sent.key)
        else:
            rows = await studio.of_pixels(sent.pictures)
        name = rest_api.ANSWERS[sent.key]
        return JSONResponse({name: [row[: model.num_outputs].tolist() for row in rows]})

    async def status(request: Request) -> Response:
        check(**request.path_params)
        return JSONResponse(rest_api.status())

    async def metadata(request: Request) -> Response:
        check(**request.path_params)
        geometry = model.image_size, model.num_outputs
        return JSONResponse(rest_api.metadata(model.name, *geometry))

    async def classify(request: Request) -> Response:
        body = await request.body()
        async with reading.hold(len(body)):
            sent = await read_form(body, request.headers, max_images)
        rows = await studio.of_files(sent, "image" if len(sent) > 1 else "")
        return JSONResponse({"images": [model.answer(row) for row in rows]})

    async def about(request: Request) -> Response:
        """What the page shows, and checks before it sends."""
        return JSONResponse(
            {
                "name": model.name,
                "class_names": model.class_names,
                "is_multi_label": model.is_multi_label,
                "max_bytes": max_bytes,
            }
        )

    routes = [Route("/classify", classify, methods=["POST"])]
    for path in _MODELS:
        routes += [
            Route(path + ":{verb}", predict, methods=["POST"]),
            Route(path, status),
            Route(path + "/metadata", metadata),
        ]
    routes += [
        Route("/v1/models", models),
        Route("/model", about),
    ]
    return application(
        routes,
        page=PHOTO_PAGE,
        metrics=model.metrics,
        intake=intake,
        max_waiting=max_waiting,
        lifespan=lifespan,
    )
