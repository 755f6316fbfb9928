"""What a file says of its picture, checked against the bytes that it has."""

from typing import NamedTuple

_MAX_PARTS = 2**18


class Header(NamedTuple):
    """A picture that was found in a file.

    Attributes:
        height: of the stored picture, in pixels.
        width: likewise.
        orientation: of EXIF, 1 to 8; above 4 height and width are exchanged.
        content: the file without what its pixels do not need: no decoder sees a part
            whose length was not checked.
        is_plain: whether OpenCV reads it as Pillow does, and without a word on stderr.
        is_buffered: whether all of it is held in memory even where a decoder reduces.
    """

    height: int
    width: int
    orientation: int
    content: bytes
    is_plain: bool = True
    is_buffered: bool = True


class CutError(ValueError):
    """The file ends before what it declares."""

    def __init__(self) -> None:
        super().__init__("truncated")


def part(data: bytes, start: int, length: int) -> bytes:
    """`length` bytes from `start` on.

    Raises:
        CutError: the file has fewer.
    """
    if start + length > len(data):
        raise CutError
    return data[start : start + length]


def check_parts(number: int) -> None:
    """Raise ValueError for a file of more parts than any photo: a loop takes each."""
    if number > _MAX_PARTS:
        raise ValueError(f"damaged: more than {_MAX_PARTS} parts")


def check_sides(height: int, width: int) -> None:
    """Raise ValueError for a picture without pixels."""
    if height < 1 or width < 1:
        raise ValueError(f"damaged: {width} x {height} pixels")
