"""WEBP: chunks in a RIFF file; the first frame is the picture."""

import struct
from collections.abc import Iterator

from .header import CutError, Header, check_parts, check_sides, part
from .tiff import exif_orientation, orientation_block

_RIFF = 12
_FRAME_HEADER = 16
_PICTURES = (b"VP8 ", b"VP8L")


def read_webp(data: bytes) -> Header:
    """Find the picture, or the first frame of an animation.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    end = struct.unpack("<I", part(data, 4, 4))[0] + 8
    if end > len(data):
        raise CutError
    chunks = list(_chunks(data, _RIFF, end))
    if not chunks:
        raise CutError
    name, content = chunks[0]
    if name in _PICTURES:
        height, width = _size(name, content)
        return _header(height, width, 1, chunks[:1])
    if name != b"VP8X" or len(content) < 10:  # a decoder looks for a bare image then
        raise ValueError("damaged: no chunk of an image")
    width, height = (int.from_bytes(content[i : i + 3], "little") + 1 for i in (4, 7))
    kept, orientation, is_found = chunks[:1], 1, False
    for name, content in chunks[1:]:
        if name == b"EXIF":
            orientation = exif_orientation(content)
            continue
        if name in (*_PICTURES, b"ANMF"):
            if is_found:
                continue
            is_found = True
            _check_frames(name, content, height, width)
        elif name not in (b"ANIM", b"ALPH"):
            continue
        kept.append((name, content))
    if not is_found:
        raise ValueError("damaged: no chunk of an image")
    if orientation > 1:
        kept.append((b"EXIF", orientation_block(orientation)))
    return _header(height, width, orientation, kept)


def _check_frames(name: bytes, content: bytes, height: int, width: int) -> None:
    """Raise ValueError unless the picture or frame is no larger than the canvas."""
    inner = [(name, content)]
    if name == b"ANMF":
        inner = _chunks(content, _FRAME_HEADER, len(content))
    for name, content in inner:
        if name in _PICTURES:
            down, across = _size(name, content)
            if down > height or across > width:
                raise ValueError("damaged: a frame larger than its picture")


def _chunks(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    number = 0
    while position + 8 <= end:
        number += 1
        check_parts(number)
        name, length = struct.unpack_from("<4sI", data, position)
        yield name, part(data[:end], position + 8, length)
        position += 8 + length + length % 2


def _size(name: bytes, content: bytes) -> tuple[int, int]:
    """Height and width in the picture's own header."""
    if name == b"VP8L":
        (bits,) = struct.unpack("<I", part(content, 1, 4))
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    width, height = struct.unpack("<HH", part(content, 6, 4))
    return height & 0x3FFF, width & 0x3FFF


def _header(
    height: int, width: int, orientation: int, chunks: list[tuple[bytes, bytes]]
) -> Header:
    check_sides(height, width)
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
        for name, content in chunks
    )
    content = b"RIFF" + struct.pack("<I", len(body)) + body
    return Header(height, width, orientation, content)
