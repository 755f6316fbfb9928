"""Pixels of the files that OpenCV reads otherwise than Pillow, or not at all."""

import io
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    TiffImageFile,
)
from PIL.WebPImagePlugin import WebPImageFile

from kerasdl._optional import require

from .formats import Header
from .formats.heif import EXTRA

# Not by `Image.open`: that may take another format, and has a limit of its own.
_FILES: dict[str, type[ImageFile.ImageFile]] = {
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "PPM": PpmImageFile,
    "TIFF": TiffImageFile,
    "WEBP": WebPImageFile,
}
_NOT_READ = ("unknown pixel mode", "unknown data organization")
_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}


def convert(rgb: np.ndarray, color_mode: str) -> np.ndarray:
    """RGB pixels `(height, width, 3)` in "rgb" or "grayscale"."""
    if color_mode == "rgb":
        return rgb
    return _array(Image.fromarray(rgb), color_mode)


def pillow_pixels(
    header: Header, kind: str, divisor: int, color_mode: str
) -> np.ndarray:
    """Decode `header.content`; `read_image` says what becomes what.

    Args:
        header: of a file that was checked.
        kind: its format.
        divisor: 1, 2, 4 or 8, of a JPEG's sides.
        color_mode: "rgb", "rgba" or "grayscale".

    Raises:
        ValueError: the file cannot be used; says why.
    """
    try:
        image: Any  # of TIFF it has tags too
        with _file(kind)(io.BytesIO(header.content)) as image:
            if divisor > 1:
                image.draft(None, (image.width // divisor, image.height // divisor))
            depth, is_negative = 16, False
            if kind == "TIFF":
                depth = image.tag_v2.get(BITSPERSAMPLE, (1,))[0]
                is_negative = image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == 0
            upright = ImageOps.exif_transpose(image)
    except Exception as error:  # each format's decoder raises errors of its own
        if str(error) in _NOT_READ:
            raise ValueError(
                "channels of this number, kind or depth are not read"
            ) from error
        raise ValueError(f"damaged: {str(error).strip()}") from error
    if upright.mode.startswith("I;16") or (upright.mode == "I" and kind == "PPM"):
        upper = (np.asarray(upright) >> (depth - 8)).astype(np.uint8)
        # Of fewer bits Pillow itself turns what counts from white.
        upright = Image.fromarray(~upper if is_negative else upper)
    _check_range(upright)
    return _array(upright, color_mode)


def _file(kind: str) -> type[ImageFile.ImageFile]:
    if kind == "HEIF":
        return require("pillow_heif", EXTRA).HeifImageFile
    return _FILES[kind]


def _check_range(image: Image.Image) -> None:
    if image.mode in ("I", "F"):
        numbers = np.asarray(image)
        low, high = numbers.min(), numbers.max()
        if not (0 <= low and high <= 255) or (numbers.size > 1 and 0 < high <= 1):
            raise ValueError(
                f"numbers from {low:g} to {high:g}, which must be pixels in [0, 255]"
            )


def _array(image: Image.Image, color_mode: str) -> np.ndarray:
    if image.mode in ("RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "LAB":  # from which Pillow makes nothing else
        image = image.convert("RGB")
    try:
        pixels = np.asarray(image.convert(_MODES[color_mode]))
    except ValueError as error:
        raise ValueError(f"colours of mode {image.mode} are not read") from error
    return pixels.reshape(*pixels.shape[:2], -1)
