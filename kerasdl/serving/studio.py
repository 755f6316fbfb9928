"""Pictures on their way through the model, so many at a time."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from fastapi import HTTPException

from kerasdl._parallel import num_cpus

from . import images
from .budget import Budget
from .served_model import ServedModel


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
        self._threads = ThreadPoolExecutor(num_cpus())
        self._decoding = Budget(max_pixels)
        self._pictures = Budget(2 * model.max_batch)

    async def of_files(self, files: Sequence[bytes], name: str) -> list[np.ndarray]:
        """The model's outputs for image files, each `(num_outputs,)`.

        One after the other is decoded, so that other requests have their turns.

        Args:
            files: their contents.
            name: of the list that they came in, for errors; "" for a single file.

        Raises:
            HTTPException: 400 or 413 for a file that is refused, 500 for an answer that
                is not a number.
        """
        futures, left = [], self._max_pixels
        for number, file in enumerate(files):
            await self._pictures.take(1)
            try:
                picture, decoded = await self._decoded(file, left)
                future = asyncio.wrap_future(self._model.submit(picture))
            except BaseException as error:
                self._pictures.give(1)
                if name and isinstance(error, HTTPException):
                    text = f"{name}[{number}]: {error.detail}"
                    raise HTTPException(error.status_code, text) from error
                raise
            future.add_done_callback(lambda _: self._pictures.give(1))
            futures.append(future)
            left -= decoded
        return await _rows(futures)

    async def of_pixels(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        """`of_files` for pictures as the model takes them."""
        submit = self._model.submit
        return await _rows([asyncio.wrap_future(submit(each)) for each in pictures])

    async def _decoded(self, file: bytes, left: int) -> tuple[np.ndarray, int]:
        run = asyncio.get_running_loop().run_in_executor
        size = await run(self._threads, images.declared_pixels, file)
        async with self._decoding.hold(min(size, self._max_pixels)):
            geometry = self._model.image_size, self._model.resize
            return await run(self._threads, images.from_file, file, *geometry, left)

    def close(self) -> None:
        """Wait for what is decoded."""
        self._threads.shutdown()


async def _rows(futures: Sequence[asyncio.Future]) -> list[np.ndarray]:
    rows = await asyncio.gather(*futures)
    if not np.isfinite(rows).all():  # JSON has no such numbers
        raise HTTPException(500, "the model's answer is not a number")
    return rows
