"""PNG: chunks, of which the pixels need five."""

import struct
import zlib

from .header import Header, check_parts, check_sides, part
from .tiff import exif_orientation, orientation_block

_SIGNATURE = 8
_FIRST = _SIGNATURE + 25  # the chunk behind the header
_NEEDED = frozenset({b"PLTE", b"tRNS", b"IDAT", b"IEND"})


def read_png(data: bytes) -> Header:
    """Find the still picture: the frames of an animation are left out.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    begin = part(data, 0, _FIRST)
    if begin[_SIGNATURE:16] != b"\0\0\0\x0dIHDR":
        raise ValueError("damaged: no header")
    _check_sum(begin[_SIGNATURE:])
    width, height = struct.unpack_from(">II", begin, 16)
    check_sides(height, width)
    orientation, pixels = 1, []
    position, name, number = _FIRST, b"", 0
    while name != b"IEND":
        number += 1
        check_parts(number)
        length, name = struct.unpack(">I4s", part(data, position, 8))
        chunk = part(data, position, length + 12)
        position += length + 12
        if name == b"eXIf":
            orientation = exif_orientation(chunk[8:-4])
        elif name in _NEEDED:
            _check_sum(chunk)
            pixels.append(chunk)
    if orientation > 1:
        block = orientation_block(orientation)
        body = b"eXIf" + block
        begin += struct.pack(">I", len(block)) + body
        begin += struct.pack(">I", zlib.crc32(body))
    return Header(height, width, orientation, begin + b"".join(pixels))


def _check_sum(chunk: bytes) -> None:
    """Raise ValueError for damage, of which libpng would write to stderr."""
    (expected,) = struct.unpack(">I", chunk[-4:])
    if zlib.crc32(chunk[4:-4]) != expected:
        raise ValueError(f"damaged: checksum of {chunk[4:8].decode()}")
