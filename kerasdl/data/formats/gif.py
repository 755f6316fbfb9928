"""GIF: a canvas, then blocks; the first frame is the picture."""

import struct

from .header import Header, check_sides, part

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
    is_found = False
    while (kind := part(data, position, 1)[0]) != _END:
        start = position
        if kind == _FRAME:
            left, top, across, down, flags = struct.unpack(
                "<HHHHB", part(data, position + 1, 9)
            )
            position += 10 + _table_length(flags) + 1  # and the size of a code
        elif kind == _EXTENSION:
            position += 2
        elif kind == _NOTHING:
            position += 1
            continue
        else:
            raise ValueError("damaged: an unknown block")
        position = _end_of_blocks(data, position)
        if kind == _FRAME and not is_found:
            is_found = True
            check_sides(down, across)
            height, width = max(height, top + down), max(width, left + across)
            kept.append(data[start:position])
        elif kind == _EXTENSION and data[start + 1] == _CONTROL and not is_found:
            kept.append(data[start:position])
    if not is_found:
        raise ValueError("damaged: no frame")
    content = b"".join((*kept, bytes([_END])))
    return Header(height, width, 1, content, is_plain=False)


def _table_length(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & _COLOUR_TABLE else 0


def _end_of_blocks(data: bytes, position: int) -> int:
    """Where a chain of blocks ends that each begin with their length."""
    while length := part(data, position, 1)[0]:
        position += 1 + length
    return position + 1
