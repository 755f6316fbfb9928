"""The routes of a table's model: rows as JSON, and a CSV file from a page."""

from typing import Any

import pandas as pd
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kerasdl._checks import check_positive_int
from kerasdl.tables import csv_text
from kerasdl.tabular import Predictor, frame_of_rows, read_rows

from .application import application, intake_of
from .instances import read_instances
from .metrics import Metrics
from .one_model import OneModel, refusing
from .upload import read_form

_PAGE = {
    "": ("table.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "table.js": ("table.js", "text/javascript"),
}


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
    model = OneModel(name)

    def of_json(body: bytes) -> dict[str, Any]:
        frame = frame_of_rows(read_instances(body, max_rows), predictor.columns)
        return {"predictions": _plain(predictor.predict(frame))}

    def of_csv(body: bytes) -> str:
        text, rows = read_rows("file", body, predictor.columns, max_rows + 1)
        if len(rows) > max_rows:
            raise HTTPException(413, f"the file must have at most {max_rows} rows")
        return csv_text(predictor.with_answers(text, rows))

    async def upload(request: Request) -> Response:
        body = await request.body()
        (sent,) = await read_form(body, request.headers, 1, "file")
        return Response(await model.ask(refusing(of_csv), sent), media_type="text/csv")

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
        *model.routes(refusing(of_json)),
        Route("/model", about),
    ]
    return application(
        routes,
        page=_PAGE,
        metrics=Metrics(),
        intake=intake,
        max_waiting=max_waiting,
        lifespan=model.lifespan,
    )


def _plain(found: pd.DataFrame) -> list[Any]:
    if "probability" not in found:
        return found["prediction"].tolist()
    return found[["prediction", "probability"]].to_dict("records")
