"""Pictures on their way through the model, so many at a time."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException

from . import images
from .budget import Budget
from .served_model import ServedModel

# A photo of at most this share of `max_pixels` is decoded and answered in one go.
_SHARE = 1 / 16


class Studio:
    """Decodes image files in threads, and asks the model.

    Over all requests files of `max_pixels` are decoded at a time, and pictures for two
    calls of the model are there.

    Args:
        model: what is asked.
        max_pixels: that are decoded of all files of a request, too.
    """

    def __init__(self, model: ServedModel, max_pixels: int) -> None:
        self._model = model
        self._max_pixels = max_pixels
        self._usual = int(_SHARE * max_pixels)
        self._decoding = Budget(max_pixels)
        self._pictures = Budget(2 * model.max_batch)

    async def of_files(self, files: Sequence[bytes], name: str) -> list[np.ndarray]:
        """The model's rows for image files, as `ServedModel.submit` has them.

        One after the other is decoded, so that other requests have their turns.

        Args:
            files: their contents.
            name: of the list that they came in, for errors; "" for a single file.

        Raises:
            HTTPException: 400 or 413 for a file that is refused, 500 for an answer that
                is not a number.
        """
        if len(files) == 1:
            try:
                with _naming(name, 0):
                    row = await self._at_once(files[0])
                return _numbers([row])
            except HTTPException as error:
                if error.status_code != 413:
                    raise
        futures, left = [], self._max_pixels
        for number, file in enumerate(files):
            await self._pictures.take(1)
            try:
                with _naming(name, number):
                    picture, decoded = await self._decoded(file, left)
                future = asyncio.wrap_future(self._model.submit(picture))
            except BaseException:
                self._pictures.give(1)
                raise
            future.add_done_callback(lambda _: self._pictures.give(1))
            futures.append(future)
            left -= decoded
        return _numbers(await asyncio.gather(*futures))

    async def of_pixels(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """`of_files` for pictures as the model takes them."""
        submit = self._model.submit
        futures = [asyncio.wrap_future(submit(each)) for each in pictures]
        return _numbers(await asyncio.gather(*futures))

    async def _at_once(self, file: bytes) -> np.ndarray:
        """The row for one file, by one turn of one thread; 413 if it is large."""

        def picture() -> np.ndarray:
            geometry = self._model.image_size, self._model.resize
            return images.from_file(file, *geometry, self._usual)[0]

        async with self._pictures.hold(1), self._decoding.hold(self._usual):
            future = self._model.submit_made(picture)
            return await asyncio.wrap_future(future)

    async def _decoded(self, file: bytes, left: int) -> tuple[np.ndarray, int]:
        size = await self._in_thread(images.declared_pixels, file)
        async with self._decoding.hold(min(size, self._max_pixels)):
            geometry = self._model.image_size, self._model.resize
            return await self._in_thread(images.from_file, file, *geometry, left)

    async def _in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        run = asyncio.get_running_loop().run_in_executor
        return await run(self._model.threads, call, *args)


@contextmanager
def _naming(name: str, number: int) -> Iterator[None]:
    """Errors tell the file's place in the list `name`."""
    try:
        yield
    except HTTPException as error:
        if not name:
            raise
        text = f"{name}[{number}]: {error.detail}"
        raise HTTPException(error.status_code, text) from error


def _numbers(rows: list[np.ndarray]) -> list[np.ndarray]:
    if not np.isfinite(rows).all():  # JSON has no other
        raise HTTPException(500, "the model's answer is not a number")
    return rows
