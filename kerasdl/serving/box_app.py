"""The routes of a detector: photos in, boxes out, drawn by a page."""

from typing import Any

import numpy as np
import pandas as pd
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kerasdl._checks import check_positive_int
from kerasdl.data import ImageError
from kerasdl.detection import Detector, View, view_of
from kerasdl.detection.annotations import BOX

from . import rest_api
from .application import PHOTO_PAGE, application, intake_of
from .images import declared_pixels
from .metrics import Metrics
from .one_model import OneModel
from .upload import read_form


def create_box_app(
    detector: Detector,
    name: str,
    max_bytes: int = 10_000_000,
    max_pixels: int = 50_000_000,
    max_images: int = 32,
    max_waiting: int = 64,
    max_memory: int = 300_000_000,
    body_seconds: float = 10,
) -> ASGIApp:
    """The ASGI application that finds boxes in photos.

    - POST `/detect`: image files as `multipart/form-data`, in fields `image`; answers
      `{"images": [{"height": ..., "width": ..., "boxes": [{"label": ..., "score": ...,
      "box": [x1, y1, x2, y2]}]}]}`, boxes in pixels of the upright photo, the best
      first, from the score on at which F1 was best; `/detect?threshold=0.1` takes
      another one. Of a detector with masks each has `mask`, an RLE as COCO has it.
    - POST `/v1/models/NAME:predict`: as TensorFlow Serving with the run's SavedModel;
      `{"signature_name": "serve_bytes", "instances": [{"b64": ...}]}` answers with
      `boxes`, `scores`, `labels` (numbers of classes) and `count` of each photo, and
      `masks`, RLEs of the photo's size, where there are.
    - GET `/`: a page that draws boxes and masks. `/model`, `/v1/models/NAME`,
      `/healthz`, `/metrics`.

    Every error is `{"error": text}`. Bodies are taken as by `create_app`; one thread
    decodes a photo after the other and asks the model.

    Args:
        detector: the model, its class names and its geometry.
        name: of the model, in addresses.
        max_bytes: of a request's body.
        max_pixels: of all photos of a request together that are decoded.
        max_images: of a request.
        max_waiting: requests under way at once; one more gets 503.
        max_memory: bytes of all bodies; at least `4 * max_bytes`.
        body_seconds: in which a body must come.

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
    for key, value in limits.items():
        check_positive_int(key, value)
    intake = intake_of(max_bytes, max_memory, body_seconds)
    model = OneModel(name)
    # Traced before it is asked.
    detector.answers([_plain(np.zeros((*detector.image_size, 3), np.uint8))])

    def views_of(contents: list[bytes]) -> list[View]:
        found, left = [], max_pixels
        for number, content in enumerate(contents):
            try:
                left -= declared_pixels(content)
                if left < 0:
                    raise HTTPException(413, f"above the limit of {max_pixels} pixels")
                view = view_of(content, "the image", detector.geometry, max_pixels)
            except ImageError as error:
                raise HTTPException(400, f"image[{number}]: {error.reason}") from error
            except HTTPException as error:
                text = f"image[{number}]: {error.detail}"
                raise HTTPException(error.status_code, text) from error
            found.append(view)
        return found

    def tables_of(views: list[View], threshold: float = 0.0) -> list[pd.DataFrame]:
        tables = [detector.answers([view], threshold=threshold)[0] for view in views]
        if not all(np.isfinite(table[["score", *BOX]]).all(None) for table in tables):
            raise HTTPException(500, "the model's answer is not a number")
        return tables

    def of_files(contents: list[bytes], threshold: float) -> list[dict[str, Any]]:
        views = views_of(contents)
        return [
            {"height": view.size[0], "width": view.size[1], "boxes": _boxes(table)}
            for view, table in zip(views, tables_of(views, threshold), strict=True)
        ]

    def of_predict(body: bytes) -> dict[str, Any]:
        sent = rest_api.read_predict(body, detector.image_size, max_images)
        views = [*views_of(sent.files), *map(_plain, sent.pictures)]
        rows = [_row(table, detector.class_names) for table in tables_of(views)]
        if sent.key == "inputs":  # by column
            rows = {name: [row[name] for row in rows] for name in rows[0]}
        return {rest_api.ANSWERS[sent.key]: rows}

    async def detect(request: Request) -> Response:
        threshold = _threshold(request.query_params, detector.threshold)
        body = await request.body()
        sent = await read_form(body, request.headers, max_images)
        return JSONResponse({"images": await model.ask(of_files, sent, threshold)})

    async def about(request: Request) -> Response:
        return JSONResponse(
            {
                "name": name,
                "task": "detection",
                "class_names": detector.class_names,
                "threshold": detector.threshold,
                "max_bytes": max_bytes,
            }
        )

    routes = [
        Route("/detect", detect, methods=["POST"]),
        *model.routes(of_predict),
        Route("/model", about),
    ]
    return application(
        routes,
        page=PHOTO_PAGE,
        metrics=Metrics(),
        intake=intake,
        max_waiting=max_waiting,
        lifespan=model.lifespan,
    )


def _plain(pixels: np.ndarray) -> View:
    """What is a view already."""
    return View("pixels", pixels.shape[:2], pixels)


def _boxes(table: pd.DataFrame) -> list[dict[str, Any]]:
    found = table[["label", "score"]].assign(box=table[BOX].to_numpy().tolist())
    return found.join(table.filter(["mask"])).to_dict("records")


def _row(table: pd.DataFrame, class_names: list[str]) -> dict[str, Any]:
    """A photo's answers as the SavedModel gives them, without the empty ones."""
    return {
        "boxes": table[BOX].to_numpy().tolist(),
        "scores": table["score"].tolist(),
        "labels": [class_names.index(label) for label in table["label"]],
        "count": len(table),
        **({"masks": table["mask"].tolist()} if "mask" in table else {}),
    }


def _threshold(query: Any, default: float) -> float:
    """The score from which on answers are wanted."""
    given = query.get("threshold")
    try:
        threshold = default if given is None else float(given)
    except ValueError:
        threshold = -1.0
    if not 0 <= threshold <= 1:
        shown = ascii(given)[:80]
        raise HTTPException(400, f"threshold must be from 0 to 1. Received: {shown}")
    return threshold
