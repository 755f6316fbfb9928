"""The routes of a model of texts: JSON, and a box on a page."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kerasdl._checks import check_positive_int
from kerasdl.text import Predictor, Translator

from .application import application, intake_of
from .instances import read_instances
from .metrics import Metrics
from .one_model import OneModel, refusing

_PAGE = {
    "": ("text.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "text.js": ("text.js", "text/javascript"),
}


def create_text_app(
    predictor: Predictor | Translator,
    name: str,
    max_text: int = 10_000,
    max_bytes: int = 10_000_000,
    max_texts: int = 1000,
    max_waiting: int = 64,
    max_memory: int = 300_000_000,
    body_seconds: float = 10,
) -> ASGIApp:
    """The ASGI application that says what texts are, or translates them.

    - POST `/v1/models/NAME:predict`: `{"instances": ["...", ...]}`, or an object with
      `text` for each; answers `{"predictions": [{"label": ..., "probability": ...,
      "probabilities": {...}}, ...]}`, or of a translator `[{"translation": ...}, ...]`.
    - GET `/`: a page with a box for a text. `/model`, `/v1/models/NAME`, `/healthz`,
      `/metrics`.

    Every error is `{"error": text}`. Bodies are taken as by `create_app`. The model is
    asked by one thread.

    Args:
        predictor: the model.
        name: of the model, in addresses.
        max_text: characters of a text; a longer one gets 413.
        max_bytes: of a request's body.
        max_texts: of a request.
        max_waiting: requests under way at once; one more gets 503.
        max_memory: bytes of all bodies; at least `4 * max_bytes`.
        body_seconds: in which a body must come.

    Raises:
        ValueError: an argument outside its range.
    """
    for key, value in (
        ("max_text", max_text),
        ("max_bytes", max_bytes),
        ("max_texts", max_texts),
        ("max_waiting", max_waiting),
        ("max_memory", max_memory),
    ):
        check_positive_int(key, value)
    class_names = getattr(predictor, "class_names", [])  # a translator has none
    intake = intake_of(max_bytes, max_memory, body_seconds)
    model = OneModel(name)

    def answer(body: bytes) -> dict[str, Any]:
        texts = _texts(read_instances(body, max_texts), max_text)
        if isinstance(predictor, Translator):
            found = predictor.translate(texts)
            return {"predictions": [{"translation": text} for text in found]}
        return {"predictions": _labels(predictor, texts)}

    async def about(request: Request) -> Response:
        return JSONResponse(
            {"name": name, "class_names": class_names, "max_text": max_text}
        )

    return application(
        [*model.routes(refusing(answer)), Route("/model", about)],
        page=_PAGE,
        metrics=Metrics(),
        intake=intake,
        max_waiting=max_waiting,
        lifespan=model.lifespan,
    )


def _labels(predictor: Predictor, texts: list[str]) -> list[dict[str, Any]]:
    predictions = []
    for row in predictor.answer(texts):
        likely = dict(zip(predictor.class_names, map(float, row), strict=True))
        best = max(likely, key=likely.__getitem__)
        predictions.append(
            {
                "label": best,
                "probability": likely[best],
                "probabilities": likely,
            }
        )
    return predictions


def _texts(rows: list[Any], max_text: int) -> list[str]:
    texts: list[Any] = [
        row.get("text") if isinstance(row, dict) else row for row in rows
    ]
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(
                f"row {place} must be a text, or an object with text. Received: "
                f"{str(rows[place])[:80]}"
            )
        if len(text) > max_text:
            raise HTTPException(
                413,
                f"a text must have at most {max_text:,} characters. Received: "
                f"{len(text):,} in row {place}",
            )
    return texts
