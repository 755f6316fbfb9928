"""PBM, PGM and PPM: a line of numbers, then rows."""

import re
from math import ceil

from .header import CutError, Header, check_sides

_BLANK = rb"(?:\s|#[^\n]*\n)+"
_BEGIN = re.compile(rb"P([1-6])" + 2 * (_BLANK + rb"(\d{1,6})"))
_HIGHEST = re.compile(_BLANK + rb"(\d{1,5})")
_BITMAPS, _COLOURS, _TEXTS = (1, 4), (3, 6), (1, 2, 3)


def read_ppm(data: bytes) -> Header:
    """Check the sizes and, where they are not text, the rows.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    begin = _BEGIN.match(data)
    if begin is None:
        raise ValueError("damaged: no header")
    number, width, height = map(int, begin.groups())
    check_sides(height, width)
    depth, start = 1, begin.end()
    if number not in _BITMAPS:
        highest = _HIGHEST.match(data, start)
        if highest is None:
            raise ValueError("damaged: no header")
        depth, start = 8 if int(highest[1]) < 256 else 16, highest.end()
    row = ceil(width * depth * (3 if number in _COLOURS else 1) / 8)
    if number not in _TEXTS and start + 1 + row * height > len(data):
        raise CutError
    return Header(height, width, 1, data, is_plain=False)
