"""HEIF, the photos of phones (.heic): read by pillow-heif, which is an extra."""

import io
from importlib.util import find_spec

from kerasdl._optional import require

from .header import Header, check_sides

SUFFIXES = (".heic", ".heif")
EXTRA = "heic"
_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def is_heif(data: bytes) -> bool:
    """Whether `data` begins as a file of this format."""
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS


def is_read() -> bool:
    """Whether what reads it is installed."""
    return find_spec("pillow_heif") is not None


def read_heif(data: bytes) -> Header:
    """Find the first picture; its decoder turns it upright.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    if not is_read():
        raise ValueError(f"HEIC: pip install 'kerasdl[{EXTRA}]' reads it")
    try:
        with require("pillow_heif", EXTRA).HeifImageFile(io.BytesIO(data)) as image:
            width, height = image.size
    except Exception as error:  # the decoder raises errors of its own
        raise ValueError(f"damaged: {str(error).strip()}") from error
    check_sides(height, width)
    return Header(height, width, 1, data, is_plain=False)
