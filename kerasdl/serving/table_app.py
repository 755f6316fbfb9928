"""The routes of a table's model: rows as JSON, and a CSV file from a page."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pandas as pd
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kerasdl._checks import check_positive_int
from kerasdl.tabular import Predictor, frame_of_rows, read_rows

from . import rest_api
from .application import application, intake_of
from .instances import read_instances
from .metrics import Metrics
from .upload import read_form

_PAGE = {
    "": ("table.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "table.js": ("table.js", "text/javascript"),
}
_MODEL = "/v1/models/{name}"


def create_table_app(
    predictor: Predictor,
    name: str,
    max_bytes: int = 10_000_000,
    max_rows: int = 100_000,
    max_waiting: int = 64,
    max_memory: int = 300_000_000,
    body_seconds: float = 10,
) -> ASGIApp:
    """The ASGI application that answers the rows of a table.

    - POST `/v1/models/NAME:predict`: `{"instances": [{COLUMN: value, ...}, ...]}`, with
      null for a hole; answers `{"predictions": [...]}`, a number for each row, or an
      object of class and probability.
    - POST `/predict`: a CSV file as `multipart/form-data`, in a field `file`; answers
      the file, its text as it was, with a column `prediction`, and of classes
      `probability`.
    - GET `/`: a page that does so in a browser. `/model`, `/v1/models/NAME`,
      `/healthz`, `/metrics`.

    Every error is `{"error": text}`; what is wrong with a row names it and the column.
    Bodies are taken as by `create_app`. The model is asked by one thread.

    Args:
        predictor: the model and its columns.
        name: of the model, in addresses.
        max_bytes: of a request's body.
        max_rows: of a request.
        max_waiting: requests under way at once; one more gets 503.
        max_memory: bytes of all bodies; at least `4 * max_bytes`.
        body_seconds: in which a body must come.

    Raises:
        ValueError: an argument outside its range.
    """
    for key, value in (
        ("max_bytes", max_bytes),
        ("max_rows", max_rows),
        ("max_waiting", max_waiting),
        ("max_memory", max_memory),
    ):
        check_positive_int(key, value)
    intake = intake_of(max_bytes, max_memory, body_seconds)
    metrics, thread = Metrics(), ThreadPoolExecutor(1)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        thread.shutdown()

    async def asked(work: Callable[[bytes], Any], body: bytes) -> Any:
        run = asyncio.get_running_loop().run_in_executor
        try:
            return await run(thread, work, body)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        except FloatingPointError as error:
            raise HTTPException(500, str(error)) from error

    def check(found: str) -> None:
        if found != name:
            raise HTTPException(
                404, f"there is no such model. This server has /v1/models/{name}"
            )

    def of_json(body: bytes) -> dict[str, Any]:
        frame = frame_of_rows(read_instances(body, max_rows), predictor.columns)
        return {"predictions": _plain(predictor.predict(frame))}

    def of_csv(body: bytes) -> str:
        text, rows = read_rows("file", body, predictor.columns, max_rows + 1)
        if len(rows) > max_rows:
            raise HTTPException(413, f"the file must have at most {max_rows} rows")
        return predictor.with_answers(text, rows).to_csv(index=False)

    async def predict(request: Request) -> Response:
        check(request.path_params["name"])
        rest_api.check_verb(request.path_params["verb"])
        return JSONResponse(await asked(of_json, await request.body()))

    async def upload(request: Request) -> Response:
        body = await request.body()
        (sent,) = await read_form(body, request.headers, 1, "file")
        return Response(await asked(of_csv, sent), media_type="text/csv")

    async def status(request: Request) -> Response:
        check(request.path_params["name"])
        return JSONResponse(rest_api.status())

    async def about(request: Request) -> Response:
        return JSONResponse(
            {
                "name": name,
                "target": predictor.target.name,
                "columns": predictor.columns.needed(()),
                "class_names": list(predictor.target.class_names),
                "max_bytes": max_bytes,
            }
        )

    routes = [
        Route("/predict", upload, methods=["POST"]),
        Route(_MODEL + ":{verb}", predict, methods=["POST"]),
        Route(_MODEL, status),
        Route("/model", about),
    ]
    return application(
        routes,
        page=_PAGE,
        metrics=metrics,
        intake=intake,
        max_waiting=max_waiting,
        lifespan=lifespan,
    )


def _plain(found: pd.DataFrame) -> list[Any]:
    if "probability" not in found:
        return found["prediction"].tolist()
    return found[["prediction", "probability"]].to_dict("records")
