"""JSON of strangers: the nested lists of an image are one value, the rest is little."""

import json
import re
from collections.abc import Callable
from functools import partial
from json.decoder import (
    JSONArray,  # pyright: ignore[reportAttributeAccessIssue]: not in typeshed
    JSONObject,  # pyright: ignore[reportAttributeAccessIssue]
)
from json.scanner import py_make_scanner  # pyright: ignore[reportAttributeAccessIssue]
from typing import Any, NoReturn

import numpy as np

_SPACE = r"[ \t\n\r]*+"
_BYTE = r"(?>25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_SPARE_VALUES = 1000

Scan = Callable[[str, int], tuple[Any, int]]


class PixelsDecoder(json.JSONDecoder):
    """Reads nested lists of pixels as uint8 `(height, width, 3)`, all else as json.

    Python's lists take fourteen times the memory of their text, and the scanner in C
    keeps all other threads waiting until it has read the whole. Here an image is read
    row by row, and there may be only a few other values: lists of another shape are
    refused soon.

    Args:
        image_size: `(height, width)`; only lists of that shape with whole numbers from
            0 to 255 are an image.
        max_images: there may be ten other values for each, and a thousand.
    """

    def __init__(self, image_size: tuple[int, int], max_images: int) -> None:
        super().__init__(parse_constant=_no_number)
        self.parse_array, self.parse_object = self._array, self._object
        self.scan_once = py_make_scanner(self)  # that in C knows only its own lists
        height, width = self._image_size = image_size
        bytes_ = rf"{_SPACE},{_SPACE}".join([_BYTE] * 3)
        pixel = rf"{_SPACE}\[{_SPACE}{bytes_}{_SPACE}\]{_SPACE}"
        self._row = re.compile(
            rf"{_SPACE}\[{pixel}(?:,{pixel}){{{width - 1}}}\]{_SPACE}"
        )
        self._most_values = self._left = _SPARE_VALUES + 10 * max_images

    def decode(self, text: str) -> Any:
        """The value of a JSON text; one at a time.

        Raises:
            ValueError: it is no JSON, or has too many values.
            RecursionError: it is nested too deep.
        """
        self._left = self._most_values
        return super().decode(text)

    def _array(self, at: tuple[str, int], scan: Scan) -> tuple[Any, int]:
        return self._image(*at) or JSONArray(at, partial(self._counted, scan))

    def _object(
        self, at: tuple[str, int], strict: bool, scan: Scan, *hooks: Any
    ) -> tuple[Any, int]:
        return JSONObject(at, strict, partial(self._counted, scan), *hooks)

    def _counted(self, scan: Scan, text: str, start: int) -> tuple[Any, int]:
        self._left -= 1
        if self._left < 0:
            height, width = self._image_size
            raise ValueError(
                f"more than {self._most_values} values; an image must be {height} "
                f"lists of {width} pixels of 3 whole numbers from 0 to 255"
            )
        return scan(text, start)

    def _image(self, text: str, start: int) -> tuple[np.ndarray, int] | None:
        """The image that begins behind a bracket, and where it ends; None if none."""
        rows = []
        height, width = self._image_size
        for ends in "," * (height - 1) + "]":
            row = self._row.match(text, start)
            if not row or text[row.end() : row.end() + 1] != ends:
                return None
            numbers = row[0].replace("[", "").replace("]", "").split(",")
            rows.append(bytes(map(int, numbers)))
            start = row.end() + 1
        pixels = np.frombuffer(b"".join(rows), np.uint8)
        return pixels.reshape(height, width, 3), start


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
