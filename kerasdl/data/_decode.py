"""Image files to RGB pixels, every fault an error that names its file."""

import struct
from pathlib import Path

import cv2
import numpy as np

from kerasdl._names import as_text

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
}
IMAGE_SUFFIXES = tuple(SUFFIX_FORMATS)
MAX_PIXELS = 64_000_000

# The first bytes of each format; those of WEBP stand behind the RIFF header.
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
}
_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "GIF": b"\0;"}
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
)  # OpenCV's colour flags are these, plus a bit for the order of the channels
_ORIENTATION_TAG = 0x0112
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Markers without a length, as decoders read them: a stuffed byte, TEM, RST0-7.
_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD8)})


class ImageError(ValueError):
    """An image file that cannot be used.

    Attributes:
        path: the file.
        reason: "empty file", "not an image (...)", "truncated", "damaged",
            "unreadable: ..." or "above the pixel limit (W x H)".
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{as_text(self.path)}: {self.reason}"  # TensorFlow drops other text


def read_image(
    path: str | Path,
    target: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Read a JPEG, PNG, BMP, GIF (first frame) or WEBP file.

    EXIF orientation is applied. Grayscale, CMYK and palette become RGB; alpha is
    dropped, as by Pillow's `convert("RGB")` and Keras's `load_img`; of 16 bits the
    upper 8 are kept; a GIF's transparent pixels take its background colour.

    Args:
        path: the file.
        target: `(height, width)` the caller needs, in pixels. A JPEG much larger
            than that is decoded at 1/2, 1/4 or 1/8, which is faster and free of
            aliasing; both sides stay at least those of `target`. The array's shape
            tells the size that was decoded; the aspect ratio is kept up to the
            rounding up of each side to a whole pixel.
        max_pixels: largest height * width that is decoded.

    Returns:
        RGB, uint8, `(height, width, 3)`.

    Raises:
        ImageError: the file cannot be used.
    """
    return decode_image(read_file(path), path, target, max_pixels)


def read_file(path: str | Path) -> bytes:
    """Return the bytes of an image file, or raise ImageError if that fails."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError as error:
        raise ImageError(path, f"unreadable: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name
        raise ImageError(path, f"unreadable: {error}") from error


def decode_image(
    data: bytes,
    path: str | Path,
    target: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Decode the bytes of an image file; `read_image` says how."""
    kind = image_format(data, path)
    height, width, orientation = _header(data, path, kind)
    if height * width > max_pixels:
        raise ImageError(path, f"above the pixel limit ({width} x {height})")
    flag = cv2.IMREAD_COLOR_RGB
    if target and kind == "JPEG":
        flag |= _reduction(_upright(height, width, orientation), target)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(path, "truncated" if _is_cut(data, kind) else "damaged")
    return image


def image_size(path: str | Path) -> tuple[int, int]:
    """Return `(height, width)` from the file's header, EXIF orientation applied.

    Raises:
        ImageError: the file cannot be read or has no header of an image.
    """
    return encoded_size(read_file(path), path)


def encoded_size(data: bytes, path: str | Path) -> tuple[int, int]:
    """`image_size` of the bytes of a file; errors call it `path`."""
    return _upright(*_header(data, path, image_format(data, path)))


def image_format(data: bytes, path: str | Path) -> str:
    """Return the name of the format that `data` begins like: "JPEG", "PNG", ..."""
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if not data:
        raise ImageError(path, "empty file")
    raise ImageError(path, "not an image (JPEG, PNG, BMP, GIF or WEBP)")


def _upright(height: int, width: int, orientation: int) -> tuple[int, int]:
    return (width, height) if orientation >= 5 else (height, width)


def _reduction(size: tuple[int, int], target: tuple[int, int]) -> int:
    """The flag of the strongest reduction that keeps both sides >= `target`."""
    for divisor, flag in _REDUCED:
        if size[0] >= target[0] * divisor and size[1] >= target[1] * divisor:
            return flag
    return 0


def _is_cut(data: bytes, kind: str) -> bool:
    """Whether the end of the file is missing."""
    if kind == "WEBP":
        return len(data) < struct.unpack_from("<I", data, 4)[0] + 8
    if kind == "BMP":
        return len(data) < struct.unpack_from("<I", data, 2)[0]
    # Not in the first half, where a thumbnail may end.
    return data.find(_ENDS[kind], len(data) // 2) < 0


def _header(data: bytes, path: str | Path, kind: str) -> tuple[int, int, int]:
    """Return the stored height and width, and the EXIF orientation (1 to 8)."""
    try:
        return _PARSERS[kind](data)
    except (IndexError, ValueError, struct.error) as error:
        raise ImageError(path, "truncated") from error


def _jpeg_header(data: bytes) -> tuple[int, int, int]:
    orientation = 1
    position = 2
    while True:
        # Markers may be padded with 0xFF.
        position = data.index(b"\xff", position) + 1
        while data[position] == 0xFF:
            position += 1
        marker = data[position]
        if marker in _BARE:
            continue
        length, _, height, width = struct.unpack_from(">HBHH", data, position + 1)
        if marker in _START_OF_FRAME:
            return height, width, orientation
        if marker == 0xE1 and data.startswith(b"Exif\0\0", position + 3):
            orientation = _orientation(data[position + 9 : position + 1 + length])
        position += 1 + length


def _png_header(data: bytes) -> tuple[int, int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    orientation = 1
    position = 8
    while position + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        if name == b"eXIf":
            orientation = _orientation(data[position + 8 : position + 8 + length])
        position += length + 12
    return height, width, orientation


def _webp_header(data: bytes) -> tuple[int, int, int]:
    name = data[12:16]
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return height & 0x3FFF, width & 0x3FFF, 1
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1, 1
    if name != b"VP8X":  # a decoder looks for a bare image then
        raise ValueError("no chunk of an image")
    width, height = (int.from_bytes(data[i : i + 3], "little") + 1 for i in (24, 27))
    orientation = 1
    position = 12
    while position + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, position)
        if name == b"EXIF":
            start = position + 8
            orientation = _orientation(data[start : start + length])
        position += 8 + length + length % 2
    return height, width, orientation


def _gif_header(data: bytes) -> tuple[int, int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return height, width, 1


def _bmp_header(data: bytes) -> tuple[int, int, int]:
    (size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", data, 18)
    return abs(height), width, 1  # a negative height: rows from the top


_PARSERS = {
    "JPEG": _jpeg_header,
    "PNG": _png_header,
    "WEBP": _webp_header,
    "GIF": _gif_header,
    "BMP": _bmp_header,
}


def _orientation(exif: bytes) -> int:
    """The orientation in an EXIF block (a TIFF file); 1 where there is none."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = ">" if exif.startswith(b"MM") else "<"
    try:
        (entries,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, entries)
        for entry in range(entries + 2, entries + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, entry)
            if tag == _ORIENTATION_TAG:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass  # a damaged block says nothing, and does not spoil the image
    return 1
