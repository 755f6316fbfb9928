"""Look at a zip archive that may come from anybody, before anything is unpacked."""

import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from .copying import repeated

MAX_BYTES = 8 * 2**30  # of everything in a file; VGG-19 with its optimizer has 1.7 GB
# What a `.keras` file may unpack to, times its own size: Keras itself compresses
# nothing, and weights of which nine in ten are zeros shrink to a ninth.
MAX_RATIO = 32
_HEADER = struct.Struct("<4s22xHH")  # of an entry: signature, lengths of name and extra
_PIECE = 2**20
# What a damaged archive, or one that was made to confuse, makes its readers raise.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    AttributeError,
    LookupError,
    TypeError,
    UnicodeError,
)


def check_archive(
    path: Path, max_bytes: int, received: str, name: str, advice: str = ""
) -> None:
    """Raise ValueError for an archive that is not what its table of contents says.

    Names must be of its own and each there once, and what is between its first and its
    last byte is read as one entry after the other. Each unpacks to the bytes that the
    table declares, in all at most `MAX_RATIO` times the size of the file. Nothing that
    is declared is believed: it is unpacked in pieces that are thrown away.

    Args:
        path: the file.
        max_bytes: that everything in it may take unpacked.
        received: what the messages say of the argument.
        name: that of the argument.
        advice: what the messages say of an archive that is too large.
    """
    with zipfile.ZipFile(path) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        contents = archive.start_dir
    for entry in entries:
        inside = PurePosixPath(entry.filename.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or ":" in entry.filename:
            raise ValueError(
                f"`{name}` must hold files of its own only. {received}, with "
                f"{entry.filename!r}"
            )
    total, size = sum(entry.file_size for entry in entries), path.stat().st_size
    if total > max_bytes:
        raise ValueError(
            f"`{name}` must unpack to at most {max_bytes:,} bytes. {received}, which "
            f"declares {total:,}.{advice}"
        )
    if total > MAX_RATIO * size:
        raise ValueError(
            f"`{name}` must unpack to at most {MAX_RATIO} times its own size. "
            f"{received}, of {size:,} bytes, which declares {total:,}"
        )
    if twice := repeated([entry.filename for entry in entries]):
        raise zipfile.BadZipFile(f"{min(twice)} is there twice")
    if entries and entries[0].header_offset:
        raise zipfile.BadZipFile("it does not begin with its first entry")
    ends = [entry.header_offset for entry in entries[1:]] + [contents]
    with open(path, "rb") as file:
        for entry, end in zip(entries, ends, strict=True):
            _check_entry(file, entry, end)


def _check_entry(file: BinaryIO, entry: zipfile.ZipInfo, end: int) -> None:
    """Unpack `entry`, which ends before `end`, to be sure that its sizes are right."""
    file.seek(entry.header_offset)
    signature, name_len, extra_len = _HEADER.unpack(file.read(_HEADER.size))
    if signature != b"PK\3\4":
        raise zipfile.BadZipFile(f"{entry.filename} does not begin where it should")
    if file.seek(name_len + extra_len, 1) + entry.compress_size > end:
        raise zipfile.BadZipFile(f"{entry.filename} lies over what follows it")
    left, found = entry.compress_size, 0
    if entry.compress_type == zipfile.ZIP_STORED:
        found = left
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        packed = b""
        while not unpacker.eof and found <= entry.file_size:
            if not packed:
                packed = file.read(min(left, _PIECE))
                left -= len(packed)
            got = len(unpacker.decompress(packed, _PIECE))
            found += got
            if not (got or packed):
                break  # cut short
            packed = unpacker.unconsumed_tail
        if not unpacker.eof or unpacker.unused_data or packed or left:
            found = -1
    else:
        raise zipfile.BadZipFile(f"{entry.filename} is compressed in an unknown way")
    if found != entry.file_size:
        raise zipfile.BadZipFile(
            f"{entry.filename} does not unpack to the {entry.file_size:,} bytes that "
            "the table of contents declares"
        )
