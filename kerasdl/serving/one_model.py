"""One model that one thread asks: what applications of rows and boxes share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import rest_api

_MODEL = "/v1/models/{name}"


class OneModel:
    """A model's name in addresses, and the thread that asks it.

    Args:
        name: of the model.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._thread = ThreadPoolExecutor(1)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """For an application: the thread ends with it."""
        yield
        self._thread.shutdown()

    async def ask(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Call `work` in the thread."""
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._thread, work, *arguments)

    def routes(self, answer: Callable[[bytes], Any]) -> list[Route]:
        """The addresses of TensorFlow Serving: `:predict`, and how the model is.

        Args:
            answer: from the body of a `:predict` to what becomes JSON.
        """

        async def predict(request: Request) -> Response:
            self._check(request)
            rest_api.check_verb(request.path_params["verb"])
            return JSONResponse(await self.ask(answer, await request.body()))

        async def status(request: Request) -> Response:
            self._check(request)
            return JSONResponse(rest_api.status())

        return [
            Route(_MODEL + ":{verb}", predict, methods=["POST"]),
            Route(_MODEL, status),
        ]

    def _check(self, request: Request) -> None:
        if request.path_params["name"] != self.name:
            raise HTTPException(
                404, f"there is no such model. This server has /v1/models/{self.name}"
            )


def refusing(work: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """`work`, whose ValueError is the client's fault, and no number the model's."""

    def answer(body: bytes) -> Any:
        try:
            return work(body)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        except FloatingPointError as error:
            raise HTTPException(500, str(error)) from error

    return answer
