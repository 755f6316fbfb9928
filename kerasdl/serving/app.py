"""The routes: TensorFlow Serving's, the page's, and the operator's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, File, HTTPException, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp

from kerasdl._checks import check_positive_int
from kerasdl._parallel import num_cpus

from . import images, rest_api
from .gate import Gate
from .served_model import ServedModel

# The only files that are served, read once.
_PAGE = {
    "": ("index.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}


def create_app(
    model: ServedModel,
    max_bytes: int = 10_000_000,
    max_pixels: int = 50_000_000,
    max_images: int = 32,
    max_waiting: int = 64,
    body_seconds: float = 30,
) -> ASGIApp:
    """The ASGI application that answers for one model.

    - GET `/v1/models/NAME`, `/v1/models/NAME/metadata` and POST
      `/v1/models/NAME:predict`, each also below `/versions/1`, as TensorFlow Serving.
    - POST `/classify`: image files as `multipart/form-data`, in fields `image`; answers
      `{"images": [{"labels": [...], "top": [{"label": ..., "probability": ...}]}]}`.
    - GET `/`: a page that does so in a browser. `/healthz`, `/metrics`.

    Every error is `{"error": text}`. Nothing that a client sends names a file here.

    Args:
        model: it is closed when the server stops.
        max_bytes: of a request's body.
        max_pixels: height * width of all image files of a request together.
        max_images: of a request.
        max_waiting: requests under way at once; one more gets 503.
        body_seconds: in which a body must have arrived.

    Raises:
        ValueError: an argument outside its range.
    """
    limits = {
        "max_bytes": max_bytes,
        "max_pixels": max_pixels,
        "max_images": max_images,
        "max_waiting": max_waiting,
    }
    for name, value in limits.items():
        check_positive_int(name, value)
    pool = ThreadPoolExecutor(num_cpus())  # as many pictures are decoded at a time

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        pool.shutdown()
        model.close()

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,  # its pages load scripts from elsewhere
        form_limits={"max_files": max_images, "max_fields": 8, "max_part_size": 1000},
    )
    app.add_exception_handler(StarletteHTTPException, _refusal)
    app.add_exception_handler(RequestValidationError, _no_image)
    app.add_exception_handler(Exception, _failure)

    async def in_pool(function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, function, *args)

    async def decoded(files: Sequence[bytes], name: str) -> list[np.ndarray]:
        """Pictures of image files, one after the other: others take their turns."""
        pictures, left = [], max_pixels
        for number, file in enumerate(files):
            try:
                picture, size = await in_pool(
                    images.from_file, file, model.image_size, model.resize, left
                )
            except HTTPException as error:
                where = f"{name}[{number}]: " if name else ""
                text = where + error.detail
                raise HTTPException(error.status_code, text) from error
            pictures.append(picture)
            left -= size
        return pictures

    async def outputs_of(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        futures = [asyncio.wrap_future(model.submit(picture)) for picture in pictures]
        rows = await asyncio.gather(*futures)
        if not np.isfinite(rows).all():  # JSON has no such numbers
            raise HTTPException(500, "the model's answer is not a number")
        return rows

    def check(name: str, version: str = rest_api.VERSION) -> None:
        if (name, version) != (model.name, rest_api.VERSION):
            raise HTTPException(
                404,
                "there is no such model. This server has "
                f"/v1/models/{model.name}/versions/{rest_api.VERSION}",
            )

    @app.get("/v1/models/{name}")
    @app.get("/v1/models/{name}/versions/{version}")
    async def status(name: str, version: str = rest_api.VERSION) -> dict[str, Any]:
        check(name, version)
        return rest_api.status()

    @app.get("/v1/models/{name}/metadata")
    @app.get("/v1/models/{name}/versions/{version}/metadata")
    async def metadata(name: str, version: str = rest_api.VERSION) -> dict[str, Any]:
        check(name, version)
        return rest_api.metadata(name, model.image_size, model.num_outputs)

    @app.post("/v1/models/{name}:predict")
    @app.post("/v1/models/{name}/versions/{version}:predict")
    async def predict(
        request: Request, name: str, version: str = rest_api.VERSION
    ) -> dict[str, Any]:
        check(name, version)
        key, sent = await in_pool(
            rest_api.read_predict, await request.body(), model.image_size, max_images
        )
        are_files = isinstance(sent[0], bytes)
        rows = await outputs_of(await decoded(sent, key) if are_files else sent)
        return {rest_api.ANSWERS[key]: [row.tolist() for row in rows]}

    @app.post("/classify")
    async def classify(
        image: Annotated[list[UploadFile], File()],
    ) -> dict[str, Any]:
        sent = [await file.read() for file in image]
        rows = await outputs_of(await decoded(sent, "image" if len(sent) > 1 else ""))
        return {"images": [model.answer(row) for row in rows]}

    @app.get("/model")
    async def about() -> dict[str, Any]:
        """What the page shows, and checks before it sends."""
        return {
            "name": model.name,
            "class_names": model.class_names,
            "is_multi_label": model.is_multi_label,
            "max_bytes": max_bytes,
        }

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics")
    async def metrics() -> Response:
        content_type = model.metrics.content_type
        return Response(model.metrics.text(), headers={"Content-Type": content_type})

    for path, (file, media_type) in _PAGE.items():
        content = files(__package__).joinpath("page", file).read_bytes()
        app.get(f"/{path}")(_constant(content, media_type))
    return Gate(app, model.metrics, max_bytes, max_waiting, body_seconds)


def _constant(content: bytes, media_type: str) -> Callable[[], Any]:
    async def route() -> Response:
        return Response(content, media_type=media_type)

    return route


async def _refusal(request: Request, error: StarletteHTTPException) -> JSONResponse:
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _no_image(request: Request, error: RequestValidationError) -> JSONResponse:
    text = "the body must be multipart/form-data with files in fields named image"
    return JSONResponse({"error": text}, 400)


async def _failure(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": "the server failed; its log says why"}, 500)
