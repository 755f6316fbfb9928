"""Image files: what each format declares, checked before any decoder sees it."""

from .bmp import read_bmp
from .gif import read_gif
from .header import Header
from .heif import is_heif, read_heif
from .jpeg import PADDING, read_jpeg
from .png import read_png
from .ppm import read_ppm
from .tiff import read_tiff
from .webp import read_webp

# The first bytes of each format; those of WEBP stand behind the RIFF header.
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    **{b"P%d" % number: "PPM" for number in range(1, 7)},
    **{b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF", b"MM\0+": "TIFF"},
}
_READERS = {
    "JPEG": read_jpeg,
    "PNG": read_png,
    "BMP": read_bmp,
    "GIF": read_gif,
    "WEBP": read_webp,
    "TIFF": read_tiff,
    "PPM": read_ppm,
    "HEIF": read_heif,
}


def format_of(data: bytes) -> str | None:
    """Name of the format that `data` begins like: "JPEG", "PNG", ..."""
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            return kind
    if is_heif(data):
        return "HEIF"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def read_header(data: bytes, kind: str) -> Header:
    """Check the bytes of a file of format `kind`.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    return _READERS[kind](data)


__all__ = ["PADDING", "Header", "format_of", "read_header"]
