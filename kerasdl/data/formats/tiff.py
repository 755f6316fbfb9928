"""TIFF: a directory of tags, and strips or tiles of which it says where they are."""

import struct
from collections.abc import Iterator
from math import ceil

import numpy as np

from .header import CutError, Header, check_parts, check_sides, part

_BIG = 43
# Bytes of each type of value; those of whole numbers.
_SIZES = {
    **{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8},
    **{13: 4, 16: 8, 17: 8, 18: 8},
}
_WHOLE = frozenset({1, 3, 4, 13, 16, 18})
_WIDTH, _HEIGHT, _DEPTHS, _COMPRESSION, _ORIENTATION = 256, 257, 258, 259, 274
_STRIPS, _STRIP_LENGTHS, _CHANNELS = 273, 279, 277
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_LENGTHS = 322, 323, 324, 325
# All that pixels depend on. Other tags may declare any number of bytes, and more
# directories.
_NEEDED = frozenset(
    {
        _WIDTH,
        _HEIGHT,
        _DEPTHS,
        _COMPRESSION,
        _ORIENTATION,
        _STRIPS,
        _STRIP_LENGTHS,
        _CHANNELS,
        _TILE_WIDTH,
        _TILE_HEIGHT,
        _TILES,
        _TILE_LENGTHS,
        # Meaning of the values, order of bits, rows of a strip, planes.
        262,
        266,
        278,
        284,
        # Options of CCITT, differences, tables of JPEG.
        292,
        293,
        317,
        347,
        # Palette, inks, alpha, kind of numbers.
        320,
        332,
        338,
        339,
        *range(529, 533),  # YCbCr
    }
)
_UNCOMPRESSED = 1
# CCITT, LZW, JPEG, Deflate, PackBits. Others are rare, and some of them say themselves
# how much memory reading takes.
_COMPRESSIONS = frozenset({_UNCOMPRESSED, 2, 3, 4, 5, 7, 8, 32773, 32946})
_MAX_CHANNELS = 6
_SMALL_TILE = 2**22  # of pixels: a small picture may have one large tile


def read_tiff(data: bytes) -> Header:
    """Check the first page: its sizes, and that all strips or tiles are in the file.

    Raises:
        ValueError: the file cannot be read; says why.
    """
    order, entries = _order(data), {}
    for tag, kind, count, value in _entries(data):
        if tag in _NEEDED:
            entries.setdefault(tag, (kind, count, value))
    tags = {tag: _numbers(data, order, *entry) for tag, entry in entries.items()}
    if sum(_SIZES.get(kind, 1) * count for kind, count, _ in entries.values()) > len(
        data
    ):
        raise ValueError("damaged: its tags overlap")

    def one(tag: int, default: int = 0) -> int:
        return int(tags[tag][0]) if len(tags.get(tag, ())) else default

    width, height = one(_WIDTH), one(_HEIGHT)
    check_sides(height, width)
    compression, is_tiled = one(_COMPRESSION, 1), _TILES in tags
    if compression not in _COMPRESSIONS:
        raise ValueError(f"compression {compression} of TIFF is not read")
    if not 1 <= one(_CHANNELS, 1) <= _MAX_CHANNELS:
        raise ValueError("damaged: number of channels")
    if is_tiled:
        tile = one(_TILE_WIDTH) * one(_TILE_HEIGHT)
        if not 1 <= tile <= max(height * width, _SMALL_TILE):
            raise ValueError("damaged: size of a tile")
    places = (_TILES, _TILE_LENGTHS) if is_tiled else (_STRIPS, _STRIP_LENGTHS)
    starts, lengths = (tags.get(tag, np.zeros(0)).astype(float) for tag in places)
    if not len(starts) or len(starts) != len(lengths):
        raise ValueError("damaged: no strips or tiles")
    if (starts + lengths).max() > len(data):
        raise CutError
    row = ceil(width * (tags[_DEPTHS].sum() if _DEPTHS in tags else 1) / 8)
    if compression == _UNCOMPRESSED and lengths.sum() < row * height:
        raise CutError
    return Header(
        height,
        width,
        _valid(one(_ORIENTATION, 1)),
        _with_directory(data, order, entries),
        is_plain=False,
    )


def exif_orientation(exif: bytes) -> int:
    """The orientation in an EXIF block (a TIFF file); 1 where there is none."""
    exif = exif.removeprefix(b"Exif\0\0")
    try:
        for tag, _, _, value in _entries(exif):
            if tag == _ORIENTATION:
                return _valid(struct.unpack_from(_order(exif) + "H", value)[0])
    except ValueError:
        pass  # a damaged block says nothing, and does not spoil the image
    return 1


def orientation_block(orientation: int) -> bytes:
    """An EXIF block that says nothing else."""
    header = struct.pack("<2sHI", b"II", 42, 8)  # a directory follows, in byte 8
    entry = struct.pack("<HHHI", 1, _ORIENTATION, 3, 1)  # its one tag, a short
    return header + entry + struct.pack("<HHI", orientation, 0, 0)  # none after it


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else 1


def _order(data: bytes) -> str:
    return ">" if data.startswith(b"MM") else "<"


def _layout(data: bytes) -> tuple[str, str, str]:
    """How a place, a number of tags, and a tag are written."""
    order = _order(data)
    (version,) = struct.unpack(order + "H", part(data, 2, 2))
    if version == _BIG:
        return order + "Q", order + "Q", order + "HHQ8s"
    return order + "I", order + "H", order + "HHI4s"


def _entries(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Tag, type, count and value (or its place) of each entry of the first page."""
    place, number, entry = _layout(data)
    width = struct.calcsize(place)
    (start,) = struct.unpack(place, part(data, width, width))
    first, size = struct.calcsize(number), struct.calcsize(entry)
    (count,) = struct.unpack(number, part(data, start, first))
    check_parts(count)
    for position in range(start + first, start + first + count * size, size):
        yield struct.unpack(entry, part(data, position, size))


def _numbers(
    data: bytes, order: str, kind: int, count: int, value: bytes
) -> np.ndarray:
    """The whole numbers of a tag; none of another kind."""
    size = _SIZES.get(kind, 1)
    if size * count > len(value):
        (start,) = struct.unpack(order + ("Q" if len(value) == 8 else "I"), value)
        value = part(data, start, size * count)
    if kind not in _WHOLE:
        return np.zeros(0, int)
    return np.frombuffer(value, f"{order}u{size}", count)


def _with_directory(
    data: bytes, order: str, entries: dict[int, tuple[int, int, bytes]]
) -> bytes:
    """`data` with a directory of `entries` alone, which stands behind it."""
    place, number, entry = _layout(data)
    width = struct.calcsize(place)
    start = len(data) + len(data) % 2
    return b"".join(
        (
            data[:width],
            struct.pack(place, start),
            data[2 * width :],
            b"\0" * (len(data) % 2),
            struct.pack(number, len(entries)),
            *(struct.pack(entry, tag, *entries[tag]) for tag in sorted(entries)),
            bytes(width),  # no further page
        )
    )
