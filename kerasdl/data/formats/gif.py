"""GIF: a canvas, then blocks; the first frame is the picture."""

import struct
from itertools import count

from .header import Header, check_parts, check_sides, part

_COLOUR_TABLE = 0x80
_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B
_NOTHING = 0  # which some programs write between blocks
_CONTROL = 0xF9  # says which colour is transparent


def read_gif(data: bytes) -> Header:
    """Find the first frame; a canvas that is too small for it grows, as in Pillow.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    width, height, flags = struct.unpack("<HHB", part(data, 6, 5))
    position = 13 + _table_length(flags)
    kept = [part(data, 0, position)]
    for number in count():
        check_parts(number)
        start, kind = position, part(data, position, 1)[0]
        if kind == _FRAME:
            break
        if kind == _NOTHING:
            position += 1
        elif kind == _EXTENSION:
            position = _end_of_blocks(data, position + 2)
            if data[start + 1] == _CONTROL:
                kept.append(data[start:position])
        else:
            raise ValueError("damaged: no frame")
    left, top, across, down, flags = struct.unpack("<HHHHB", part(data, start + 1, 9))
    check_sides(down, across)
    # Behind the colours stands the size of a code.
    position = _end_of_blocks(data, start + 11 + _table_length(flags))
    part(data, position, 1)  # a further frame, or the end
    content = b"".join((*kept, data[start:position], bytes([_END])))
    height, width = max(height, top + down), max(width, left + across)
    return Header(height, width, 1, content, is_plain=False)


def _table_length(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & _COLOUR_TABLE else 0


def _end_of_blocks(data: bytes, position: int) -> int:
    """Where a chain of blocks ends that each begin with their length."""
    number = 0
    while True:
        check_parts(number)
        number += 1
        length = part(data, position, 1)[0]
        position += 1 + length
        if not length:
            return position
