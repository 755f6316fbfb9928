"""What a client sends as a picture becomes the model's pixels, or a clear refusal."""

import re
from base64 import b64decode
from itertools import chain
from typing import Any

import numpy as np
from fastapi import HTTPException

from kerasdl.data import ImageError, decode_image, encoded_size, warp_image

# Each scan of a progressive JPEG may be a few bytes and yet costs a pass over all
# pixels. Cameras and web sites write about ten.
_MAX_SCANS = 50
# Markers of JPEG that have a length behind them, and the end of the image.
_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


def from_file(
    data: bytes, image_size: tuple[int, int], resize: str, max_pixels: int
) -> tuple[np.ndarray, int]:
    """Decode and resize a JPEG, PNG, BMP, GIF, WEBP or TIFF file as in training.

    Args:
        data: the content of the file.
        image_size: `(height, width)` in pixels.
        resize: "crop", "squash" or "pad".
        max_pixels: of height * width that the header declares; a larger picture is not
            decoded.

    Returns:
        RGB, uint8, `(*image_size, 3)`, and how many pixels were decoded.

    Raises:
        HTTPException: 400 for what is no picture or a damaged one, 413 for one above
            the limit.
    """
    if data.startswith(b"\xff\xd8"):
        _check_scans(data)
    try:
        height, width = encoded_size(data, "the image")
        pixels = decode_image(data, "the image", image_size, max_pixels)
    except ImageError as error:
        if error.reason.startswith("above the pixel limit"):
            limit = f"{error.reason} of {max_pixels}"
            raise HTTPException(413, limit) from error
        raise HTTPException(400, error.reason) from error
    return warp_image(pixels, image_size, resize), height * width


def _check_scans(jpeg: bytes) -> None:
    scans, position = 0, 2
    # What lies behind the image does not count: cameras append a film.
    while (match := _MARKER.search(jpeg, position)) and match[1][0] != _END_OF_IMAGE:
        scans += match[1][0] == _START_OF_SCAN
        if scans > _MAX_SCANS:
            raise HTTPException(400, f"the JPEG has more than {_MAX_SCANS} scans")
        position = match.end() + int.from_bytes(jpeg[match.end() : match.end() + 2])


def from_base64(value: Any) -> bytes:
    """The bytes in `{"b64": text}`.

    Raises:
        HTTPException: 400 for anything else.
    """
    text = value.get("b64") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(text, str):
        raise HTTPException(
            400, 'must be {"b64": "..."} with the Base64 text of an image file'
        )
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise HTTPException(400, "b64 must be Base64 text") from error


def from_lists(value: Any, image_size: tuple[int, int]) -> np.ndarray:
    """Pixels of nested lists, `(*image_size, 3)` whole numbers from 0 to 255.

    Returns:
        RGB, uint8, `(*image_size, 3)`.

    Raises:
        HTTPException: 400 for anything else.
    """
    height, width = image_size
    try:
        if not (
            _is_list(value, height)
            and all(_is_list(row, width) for row in value)
            and all(_is_list(pixel, 3) for row in value for pixel in row)
        ):
            raise ValueError("another shape")
        numbers = list(chain.from_iterable(chain.from_iterable(value)))
        if set(map(type, numbers)) != {int}:  # true is one for Python
            raise ValueError("another type")
        content = bytes(numbers)
    except (TypeError, ValueError) as error:
        raise HTTPException(
            400,
            f"must be {height} lists of {width} pixels of 3 whole numbers from 0 to "
            '255. Image files of any size go to "signature_name": "serve_bytes".',
        ) from error
    return np.frombuffer(content, np.uint8).reshape(height, width, 3)


def _is_list(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length
