"""JPEG: segments, then scans of entropy-coded data up to the end of the image."""

import re
import struct
from itertools import count
from math import ceil

from .header import CutError, Header, check_parts, check_sides, part
from .tiff import exif_orientation, orientation_block

# Each scan of a progressive JPEG may be a few bytes and yet costs a pass over all
# pixels. Cameras and web sites write about ten.
_MAX_SCANS = 50
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_FIRST_RESTART, _LAST_RESTART = 0xD0, 0xD7
_END, _SCAN, _RESTART_INTERVAL = 0xD9, 0xDA, 0xDD
_TABLES = frozenset({0xC4, 0xCC, 0xDB, _RESTART_INTERVAL})
_JFIF, _EXIF, _ADOBE = 0xE0, 0xE1, 0xEE
_KEPT = _TABLES | {_SCAN, _ADOBE}
# In place of the file's own: libjpeg writes to stderr of versions it does not know.
_PLAIN_JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
_FRAME_FIELDS = struct.Struct(">HHB").unpack_from
# Neither a stuffed byte, TEM nor RST0-7, which have no length, nor padding with 0xFF.
_SEGMENT = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
_MARKER = re.compile(rb"\xff([\x01-\xfe])")
# In place of the end of the image: a decoder looks a few bytes ahead, and one that
# needs more has lost blocks and says so, instead of making up the rest.
PADDING = bytes(16)


def read_jpeg(data: bytes) -> Header:
    """Find the frame and its scans.

    Of the damage that libjpeg warns of this finds what leaves a marker among the
    entropy-coded data, and lets a decoder find what leaves too few blocks. Too many
    blocks, of one scan, are found by `check_images` alone.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    kept, orientation, frame, interval = [], 1, None, 0
    position = 2
    for number in count():
        check_parts(number)
        marker, start, segment = _segment(data, position)
        position = start + len(segment)
        if marker in _START_OF_FRAME:
            if frame is not None:
                raise ValueError("damaged: a second frame")
            frame = marker, segment
        elif marker == _RESTART_INTERVAL:
            interval = int.from_bytes(segment[4:6])
        elif marker == _JFIF and segment.startswith(b"JFIF\0", 4):
            segment = _PLAIN_JFIF
        elif marker == _EXIF and segment.startswith(b"Exif\0\0", 4):
            orientation = exif_orientation(segment[10:])
            continue
        elif marker == _END:
            raise ValueError("damaged: no scan")
        elif marker not in _KEPT:
            continue
        kept.append(segment)
        if marker == _SCAN:
            break
    if frame is None:
        raise ValueError("damaged: no frame")
    kind, frame = frame
    if len(frame) < 10 or len(segment) < 5:
        raise ValueError("damaged: a short frame")
    height, width, components = _FRAME_FIELDS(frame, 5)
    check_sides(height, width)
    if not components or len(frame) < 10 + 3 * components:
        raise ValueError("damaged: a short frame")
    is_whole = segment[-3:] == b"\0\x3f\0"  # all coefficients, all bits
    is_single = kind in _SEQUENTIAL and segment[4] == components
    if not is_single:
        kept.append(_further_scans(data, position))
        kept.append(b"\xff\xd9")
    else:
        restarts = 0
        if interval:
            restarts = ceil(_num_blocks(frame, height, width) / interval) - 1
        kept.append(_only_scan(data, position, restarts))
        kept.append(PADDING)
    begin = data[:2]
    if orientation > 1:
        block = b"Exif\0\0" + orientation_block(orientation)
        begin += b"\xff\xe1" + (2 + len(block)).to_bytes(2) + block
    return Header(
        height,
        width,
        orientation,
        begin + b"".join(kept),
        # Through OpenCV libjpeg writes to stderr of damage between scans or restarts.
        is_plain=is_single and not interval and components != 4 and is_whole,
        is_buffered=not is_single,
    )


def _segment(data: bytes, position: int) -> tuple[int, int, bytes]:
    """The next marker with a length: what it is, where it begins, all its bytes."""
    match = _SEGMENT.search(data, position)
    if match is None:
        raise CutError
    start, marker = match.end() - 2, data[match.end() - 1]
    if marker == _END:
        return marker, start, data[start : start + 2]
    length = int.from_bytes(data[start + 2 : start + 4])
    if length < 2:
        raise ValueError("damaged: a segment shorter than its length")
    return marker, start, part(data, start, 2 + length)


def _only_scan(data: bytes, start: int, restarts: int) -> memoryview:
    """Entropy-coded data of a scan that holds the image, up to the image's end."""
    for number, match in enumerate(_MARKER.finditer(data, start)):
        check_parts(number)
        marker = match[1][0]
        # Some encoders write one restart more, behind the last block.
        if marker == _END and number in (restarts, restarts + bool(restarts)):
            return memoryview(data)[start : match.start()]
        if marker != _FIRST_RESTART + number % 8 or number > restarts:
            raise ValueError("damaged: a marker within the image")
    raise CutError


def _further_scans(data: bytes, start: int) -> bytes:
    """All scans and the tables between them, up to the image's end."""
    kept, scans, position = [], 1, start
    number = 0
    while True:
        check_parts(number)
        number += 1
        match = _MARKER.search(data, position)
        if match is None:
            raise CutError
        marker = match[1][0]
        if _FIRST_RESTART <= marker <= _LAST_RESTART:
            position = match.end()
            continue
        kept.append(data[start : match.start()])
        if marker == _END:
            return b"".join(kept)
        if marker in _START_OF_FRAME:
            raise ValueError("damaged: a second frame")
        _, begin, segment = _segment(data, match.start())
        position = start = begin + len(segment)
        if marker in _KEPT:
            kept.append(segment)
        scans += marker == _SCAN
        if scans > _MAX_SCANS:
            raise ValueError(f"the JPEG has more than {_MAX_SCANS} scans")


def _num_blocks(frame: bytes, height: int, width: int) -> int:
    """How many units of one or several 8 x 8 blocks the only scan is made of."""
    factors = frame[11 : 10 + 3 * frame[9] : 3]
    across, down = max(f >> 4 for f in factors), max(f & 15 for f in factors)
    if len(factors) == 1:  # its factors mean nothing then
        across = down = 1
    return ceil(width / (8 * max(across, 1))) * ceil(height / (8 * max(down, 1)))
