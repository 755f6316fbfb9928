"""BMP: a header, a palette, rows."""

import struct

from .header import CutError, Header, check_sides, part

_OLD_HEADER, _NEW_HEADERS = 12, (40, 52, 56, 64, 108, 124)
_RUN_LENGTHS = (1, 2)
_DEPTHS = (1, 2, 4, 8, 16, 24, 32)


def read_bmp(data: bytes) -> Header:
    """Check sizes, palette and, where they are not compressed, rows.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    start, size = struct.unpack("<II", part(data, 10, 8))
    compression = colours = 0
    if size == _OLD_HEADER:
        width, height, _, depth = struct.unpack("<HHHH", part(data, 18, 8))
    elif size in _NEW_HEADERS:
        width, height, _, depth, compression, _, _, _, colours = struct.unpack(
            "<iiHHIIiiI", part(data, 18, 32)
        )
    else:
        raise ValueError("damaged: no header")
    height = abs(height)  # negative: rows from the top
    check_sides(height, width)
    if depth not in _DEPTHS or (depth <= 8 and colours > 256):
        raise ValueError("damaged: depth or palette")
    stored = 0 if compression in _RUN_LENGTHS else (width * depth + 31) // 32 * 4
    if not 14 + size <= start <= len(data) or start + stored * height > len(data):
        raise CutError
    # Of five bits OpenCV leaves the lower three empty.
    return Header(height, width, 1, data, is_plain=depth != 16)
