"""Image files to RGB pixels, every fault an error that names its file."""

from pathlib import Path

import cv2
import numpy as np

from kerasdl._names import as_text

from ._open_file import read_bytes
from ._pillow_pixels import convert, pillow_pixels
from .formats import Header, format_of, heif, read_header

# Our pools of threads decode one image a thread: threads of OpenCV's own would only
# compete with them.
cv2.setNumThreads(0)
# A fault is reported once, as an ImageError with the file's name; OpenCV's own lines
# do not know the name.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

SUFFIX_FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    **(dict.fromkeys(heif.SUFFIXES, "HEIF") if heif.is_read() else {}),
}
IMAGE_SUFFIXES = tuple(SUFFIX_FORMATS)
MAX_PIXELS = 64_000_000

_REDUCED = {  # OpenCV's colour flags are these, plus a bit for the order of channels
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    1: 0,
}
_TOO_LARGE = "above the pixel limit"


class ImageError(ValueError):
    """An image file that cannot be used.

    Attributes:
        path: the file.
        reason: "empty file", "not an image (...)", "truncated", "damaged", "damaged:
            ...", "unreadable: ..." or "above the pixel limit (W x H)".
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        allowed = "; max_pixels= (--max-pixels) allows more"
        more = allowed if self.reason.startswith(_TOO_LARGE) else ""
        # Text that is no UTF-8 would be dropped by TensorFlow.
        return f"{as_text(self.path)}: {self.reason}{more}"


def read_image(
    path: str | Path,
    target: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    *,
    color_mode: str = "rgb",
) -> np.ndarray:
    """Read a JPEG, PNG, BMP, GIF, WEBP or TIFF file: its first frame or page.

    HEIC too, where the extra `heic` is installed.
    EXIF orientation is applied. What becomes what, in each format that has it:

    | in the file | as RGB |
    |---|---|
    | 8 bits a channel | as they are |
    | 1, 2 or 4 bits | stretched to [0, 255]: times 255, 85 or 17 |
    | 12, 16 bits | the upper 8 (value // 256), so that 8 bits times 257 come back |
    | floats, 32-bit integers | whole part; ImageError outside [0, 255] or if all <= 1 |
    | grey | three equal channels |
    | palette | its colours |
    | alpha, a transparent colour | dropped: the colours beneath stay |
    | CMYK, YCCK, YCbCr | Pillow's RGB |
    | LAB | Pillow's RGB |
    | five channels and more, several of more than 16 bits | ImageError |

    "grayscale" is Pillow's weighted sum (299 R + 587 G + 114 B) / 1000 of that, and
    "rgba" keeps alpha and transparent colours. So the pixels are those of Pillow's
    `convert` and of Keras's `load_img`, but for 16 bits of grey, which these cut off at
    255 or leave above it, and for numbers outside [0, 255], which they cut off.

    Args:
        path: the file.
        target: `(height, width)` the caller needs, in pixels. A JPEG much larger
            than that is decoded at 1/2, 1/4 or 1/8, which is faster and free of
            aliasing; both sides stay at least those of `target`. The array's shape
            tells the size that was decoded; the aspect ratio is kept up to the
            rounding up of each side to a whole pixel.
        max_pixels: largest height * width that is decoded, after such a reduction. A
            JPEG of several scans counts in full: a decoder holds all of it.
        color_mode: "rgb", "rgba" or "grayscale".

    Returns:
        uint8, `(height, width, channels)`: 3 of RGB, 4 of RGBA or 1 of grey.

    Raises:
        ImageError: the file cannot be used.

    Example:
        ```
        pixels = kd.data.read_image("photo.jpg")
        ```
    """
    return decode_image(
        read_file(path), path, target, max_pixels, color_mode=color_mode
    )


def read_file(path: str | Path) -> bytes:
    """Return the bytes of an image file, or raise ImageError if that fails."""
    try:
        return read_bytes(path)
    except OSError as error:
        raise ImageError(path, f"unreadable: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name
        raise ImageError(path, f"unreadable: {error}") from error


def decode_image(
    data: bytes,
    path: str | Path,
    target: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    *,
    color_mode: str = "rgb",
) -> np.ndarray:
    """Decode the bytes of an image file; `read_image` says how."""
    kind = image_format(data, path)
    header = _header(data, path, kind)
    divisor = _reduction(_upright(header), target) if target and kind == "JPEG" else 1
    decoded = 1 if header.is_buffered else divisor
    if -(-header.height // decoded) * -(-header.width // decoded) > max_pixels:
        raise ImageError(path, f"{_TOO_LARGE} ({header.width} x {header.height})")
    if not header.is_plain or color_mode == "rgba":
        try:
            return pillow_pixels(header, kind, divisor, color_mode)
        except ValueError as error:
            raise ImageError(path, str(error)) from error
    encoded = np.frombuffer(header.content, np.uint8)
    try:
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB | _REDUCED[divisor])
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(path, "damaged")
    return convert(image, color_mode)


def image_size(path: str | Path) -> tuple[int, int]:
    """Return `(height, width)` from the file's header, EXIF orientation applied.

    Raises:
        ImageError: the file cannot be read, or is cut or damaged before any decoder
            looks at its pixels.
    """
    return encoded_size(read_file(path), path)


def encoded_size(data: bytes, path: str | Path) -> tuple[int, int]:
    """`image_size` of the bytes of a file; errors call it `path`."""
    return _upright(_header(data, path, image_format(data, path)))


def image_format(data: bytes, path: str | Path) -> str:
    """Return the name of the format that `data` begins like: "JPEG", "PNG", ..."""
    if not data:
        raise ImageError(path, "empty file")
    kind = format_of(data)
    # Two letters are no signature, and reading PPM may take long: its name must say so.
    if kind is None or (kind == "PPM" and not str(path).lower().endswith(".ppm")):
        raise ImageError(path, "not an image (JPEG, PNG, BMP, GIF, WEBP or TIFF)")
    return kind


def _header(data: bytes, path: str | Path, kind: str) -> Header:
    try:
        return read_header(data, kind)
    except ValueError as error:
        raise ImageError(path, str(error)) from error


def _upright(header: Header) -> tuple[int, int]:
    height, width = header.height, header.width
    return (width, height) if header.orientation >= 5 else (height, width)


def _reduction(size: tuple[int, int], target: tuple[int, int]) -> int:
    """The strongest reduction that keeps both sides >= `target`."""
    return next(
        divisor
        for divisor in _REDUCED
        if divisor == 1
        or (size[0] >= target[0] * divisor and size[1] >= target[1] * divisor)
    )
