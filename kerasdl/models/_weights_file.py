"""Open a file of weights that may come from anybody: HDF5, alone or in a `.keras`.

HDF5 can name other files and places, and declare arrays of any size in a few bytes. So
a file is walked before anything in it is read, and must be what Keras writes: a tree of
groups, whose arrays of numbers lie in it whole, each at a place of its own. So its
arrays take no more memory than the file is large, and its names at most `MAX_RATIO`
times that.
"""

import io
import os
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t

from ._archive import DAMAGED, MAX_BYTES, check_archive
from .copying import repeated

WEIGHTS = "model.weights.h5"  # in a `.keras`
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_RATIO = 64  # of the memory that lists of names may take, to the size of the file
_MAX_DEPTH = 64  # of groups; Keras takes two for each model in a model
_HEAP_SIGNATURE = b"GCOL\x01\0\0\0"  # the size follows
_HEAP = re.compile(_HEAP_SIGNATURE)
_HEAP_HEADER = 16  # bytes, of the heap and of each text in it
_NUMBERS = (h5t.TypeIntegerID, h5t.TypeFloatID, h5t.TypeEnumID)  # a bool is the last


@contextmanager
def open_weights(path: Path, name: str = "weights") -> Iterator[h5py.File]:
    """Open the weights in `path`, checked, as HDF5.

    A `.keras` is unpacked into memory: its size where nothing in it is compressed, as
    Keras writes it, and at most `_archive.MAX_RATIO` times that.

    Args:
        path: a `.keras`, `.weights.h5` or legacy `.h5` file that is there.
        name: of the argument in messages.

    Raises:
        ValueError: it is damaged, or no file of Keras's; or what reads it raises one of
            `DAMAGED`. The message names the file.
    """
    received = f"Received: {name}={str(path)!r}"
    try:
        if path.suffix == ".keras":
            check_archive(path, MAX_BYTES, received, name)
            with zipfile.ZipFile(path) as archive:
                unpacked = io.BytesIO(archive.read(WEIGHTS))
            with h5py.File(unpacked) as file:
                check_tree(file, unpacked)
                yield file
        else:
            with open(path, "rb") as opened, h5py.File(path) as file:
                check_tree(file, opened)
                yield file
    except DAMAGED as error:
        raise ValueError(
            f"`{name}` must be a file of weights that Keras wrote. {received}, which "
            f"cannot be read ({error})"
        ) from error


def check_tree(file: h5py.File, opened: BinaryIO) -> int:
    """Raise RuntimeError unless `file` is what Keras writes; see the module.

    Args:
        file: read from `opened`.
        opened: its bytes.

    Returns:
        The number of numbers in its arrays.
    """
    size = opened.seek(0, os.SEEK_END)
    opened.seek(0)
    if opened.read(len(_SIGNATURE)) != _SIGNATURE:
        raise RuntimeError("something else comes before it")
    if file.id.get_create_plist().get_sizes() != (8, 8):
        raise RuntimeError("its addresses are not of 8 bytes")
    longest = MAX_RATIO * size // max(_longest_text(opened), 1)
    taken, count = _attribute_bytes(file.id, longest), 0
    places: list[tuple[int, int]] = []
    seen = {h5o.get_info(file.id).addr}
    groups = [(file.id, 1)]
    while groups:
        group, depth = groups.pop()
        for name in _own_names(group):
            address = h5o.get_info(group, name).addr
            if address in seen:
                raise RuntimeError(f"{_text(name)} is in two places")
            seen.add(address)
            item = h5o.open(group, name)
            taken += _attribute_bytes(item, longest)
            if isinstance(item, h5g.GroupID) and depth < _MAX_DEPTH:
                groups.append((item, depth + 1))
            elif isinstance(item, h5d.DatasetID):
                places.append(_place(item, name))
                count += item.get_space().get_simple_extent_npoints()
            else:
                raise RuntimeError(f"{_text(name)} is no array or lies too deep")
            if taken > size:
                raise RuntimeError("its names and texts are longer than the file")
    end = 0
    for start, stop in sorted(places):
        if start < end or stop > size:
            raise RuntimeError("its arrays do not lie in it, one after the other")
        end = stop
    return count


def names_in(group: h5py.Group, attribute: str) -> list[str]:
    """Read a list of names, which HDF5 splits into numbered parts when it is long."""
    parts = [attribute] if attribute in group.attrs else []
    while (part := f"{attribute}{len(parts)}") in group.attrs:
        parts.append(part)
    names = [name for part in parts for name in np.atleast_1d(group.attrs[part])]
    if twice := repeated(names):
        raise RuntimeError(f"{attribute} lists {min(twice)!r} twice")
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def _own_names(group: h5g.GroupID) -> list[bytes]:
    """Names of what is in `group` itself, and not in another place or file."""
    names: list[bytes] = []
    others: list[bytes] = []

    def note(name: bytes, info: Any) -> None:
        (names if info.type == h5l.TYPE_HARD else others).append(name)

    group.links.iterate(note, info=True)
    if others:
        raise RuntimeError(f"{_text(others[0])} is a link to values of another place")
    return names


def _place(dataset: h5d.DatasetID, name: bytes) -> tuple[int, int]:
    """First and last byte of an array of numbers; (0, 0) of an empty one."""
    kind, space = dataset.get_type(), dataset.get_space()
    if not isinstance(kind, _NUMBERS) or space.get_simple_extent_type() == h5s.NULL:
        raise RuntimeError(f"{_text(name)} holds something else than numbers")
    length = space.get_simple_extent_npoints() * kind.get_size()
    start = dataset.get_offset()  # None: in chunks, in other files, or not written
    if length and start is None:
        raise RuntimeError(f"the values of {_text(name)} do not lie in it in one piece")
    return (start, start + length) if length else (0, 0)


def _longest_text(opened: BinaryIO) -> int:
    """Bytes of the longest of the texts that names may refer to, many of them to one.

    HDF5 keeps them in heaps, and never returns from some that it did not write.
    """
    opened.seek(0)
    found, before, at = [], b"", 0
    while piece := opened.read(2**20):
        piece = before + piece
        found += [at + heap.start() for heap in _HEAP.finditer(piece)]
        before = piece[-len(_HEAP_SIGNATURE) + 1 :]
        at += len(piece) - len(before)
    longest = end = 0
    for start in found:
        if start < end:
            raise RuntimeError("its texts do not lie one after the other")
        opened.seek(start + len(_HEAP_SIGNATURE))
        end = start + int.from_bytes(opened.read(8), "little")
        at = start + _HEAP_HEADER
        while at + _HEAP_HEADER <= end:
            opened.seek(at)
            number, length = struct.unpack("<H6xQ", opened.read(_HEAP_HEADER))
            # Number 0 is what is free, its own header included.
            at += -(-length // 8) * 8 + _HEAP_HEADER if number else length
            if at > end or not (number or length):
                raise RuntimeError("a text is longer than the place where it lies")
            longest = max(longest, length if number else 0)
    return longest


def _attribute_bytes(item: Any, max_texts: int) -> int:
    """Bytes of all attributes of `item`: numbers, and lists of at most `max_texts`."""
    names: list[bytes] = []
    h5a.iterate(item, lambda name, *_: names.append(name))
    total = 0
    for name in names:
        attribute = h5a.open(item, name)
        kind = attribute.get_type()
        count = attribute.get_space().get_simple_extent_npoints()
        total += len(name) + count * kind.get_size()
        if isinstance(kind, h5t.TypeStringID) and kind.is_variable_str():
            if count > max(max_texts, 1):
                raise RuntimeError(f"{_text(name)} may take {MAX_RATIO} times its size")
            texts = np.ndarray(attribute.shape, attribute.dtype)
            attribute.read(texts)
            total += sum(len(text or "") for text in texts.flat)
        elif not isinstance(kind, (h5t.TypeStringID, *_NUMBERS)):
            raise RuntimeError(f"{_text(name)} is neither numbers nor texts")
    return total


def _text(name: bytes) -> str:
    return repr(name.decode(errors="replace"))
