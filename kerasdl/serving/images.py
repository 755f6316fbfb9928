"""What a client sends as a picture becomes the model's pixels, or a clear refusal."""

from base64 import b64decode
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException

from kerasdl.data import ImageError, decode_image, encoded_size, warp_image


def declared_pixels(data: bytes) -> int:
    """How many pixels the header of an image file declares.

    Raises:
        HTTPException: 400 for what is no picture.
    """
    try:
        height, width = encoded_size(data, "the image")
    except ImageError as error:
        raise HTTPException(400, error.reason) from error
    return height * width


def from_file(
    data: bytes, image_size: tuple[int, int], resize: str, max_pixels: int
) -> tuple[np.ndarray, int]:
    """Decode and resize a JPEG, PNG, BMP, GIF, WEBP or TIFF file as in training.

    Args:
        data: the content of the file.
        image_size: `(height, width)` in pixels.
        resize: "crop", "squash" or "pad".
        max_pixels: that may be decoded.

    Returns:
        RGB, uint8, `(*image_size, 3)`, and how many pixels were decoded: of a JPEG much
        larger than `image_size` only a share is.

    Raises:
        HTTPException: 400 for what is no picture or a damaged one, 413 for one above
            the limit.
    """
    try:
        pixels = decode_image(data, "the image", image_size, max_pixels)
    except ImageError as error:
        if error.reason.startswith("above the pixel limit"):
            limit = f"{error.reason} of {max_pixels}"
            raise HTTPException(413, limit) from error
        raise HTTPException(400, error.reason) from error
    decoded = pixels.shape[0] * pixels.shape[1]
    return warp_image(pixels, image_size, resize), decoded


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
        # Many programs break it into lines.
        packed = text.encode("ascii").translate(None, b" \t\r\n")
        return b64decode(packed, validate=True)
    except ValueError as error:
        raise HTTPException(400, "b64 must be Base64 text") from error
