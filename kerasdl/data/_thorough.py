"""Damage of a picture that reading it for training passes over."""

import io
from pathlib import Path

from PIL.JpegImagePlugin import JpegImageFile

from ._decode import (
    MAX_PIXELS,
    ImageError,
    decode_image,
    encoded_size,
    image_format,
)
from .formats import PADDING, read_header


def check_pixels(data: bytes, path: str | Path, max_pixels: int) -> tuple[int, int]:
    """Decode all of a file, and return its height and width, EXIF applied.

    Raises:
        ImageError: the file cannot be used.
    """
    size = encoded_size(data, path)
    if image_format(data, path) != "JPEG":
        decode_image(data, path, max_pixels=max_pixels)
    elif size[0] * size[1] > min(max_pixels, MAX_PIXELS):
        decode_image(data, path, (1, 1), max_pixels)
    else:
        _check_jpeg(data, path)
    return size


def _check_jpeg(data: bytes, path: str | Path) -> None:
    content = read_header(data, "JPEG").content
    if not content.endswith(PADDING):  # several scans: where each ends is not known
        decode_image(data, path)
        return
    # Of a whole image the last byte holds bits of the last block.
    stream = _InTwoParts(content, len(content) - len(PADDING) - 1)
    try:
        with JpegImageFile(stream) as image:
            image.load()
    except Exception as error:  # decoders raise errors of several kinds
        raise ImageError(path, "damaged") from error
    if stream.tell() <= stream.end:
        raise ImageError(path, "damaged: too many blocks")


class _InTwoParts(io.BytesIO):
    """Yields what is behind `end` only to one who comes back for it."""

    def __init__(self, content: bytes, end: int) -> None:
        super().__init__(content)
        self.end = end

    def read(self, size: int | None = -1) -> bytes:
        left = self.end - self.tell()
        if left > 0 and size is not None and size > left:
            size = left
        return super().read(size)
