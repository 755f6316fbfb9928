"""CIFAR-10's own files for Python, whose pickles are looked through and never loaded.

Each holds 10,000 images: a string of all pixels, plane by plane, and a list of labels.
"""

import pickletools
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = ("test_batch",)
_CLASSES = 10
_SHAPE = (3, 32, 32)  # planes, height, width
# What pickle calls whole numbers, and texts or bytes.
_NUMBERS = {"BININT1", "BININT2", "BININT", "INT", "LONG1"}
_TEXTS = {
    "SHORT_BINSTRING",
    "BINSTRING",
    "SHORT_BINBYTES",
    "BINBYTES",
    "BINUNICODE",
    "SHORT_BINUNICODE",
}


def read_cifar_batches(
    folder: Path, names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, 32, 32, 3)` and labels `(n,)`, uint8, of some batches in `folder`.

    Raises:
        ValueError: a file is missing, damaged, or no such batch.
    """
    batches = [_read_batch(folder / name) for name in names]
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _read_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        # In memory: a length that it declares then takes none beyond the file's size.
        pixels, labels = _pixels_and_labels(BytesIO(path.read_bytes()))
    # Of a damaged file pickletools makes nearly any error.
    except Exception as error:
        raise _error(path, str(error)) from error
    size = np.prod(_SHAPE) * len(labels)
    if not labels or len(pixels) != size:
        raise _error(path, f"{len(pixels):,} bytes of pixels, {len(labels):,} labels")
    if not 0 <= min(labels) <= max(labels) < _CLASSES:
        raise _error(path, f"labels from {min(labels)} to {max(labels)}")
    planes = np.frombuffer(pixels, np.uint8).reshape(-1, *_SHAPE)
    return planes.transpose(0, 2, 3, 1), np.array(labels, np.uint8)


def _pixels_and_labels(file: BytesIO) -> tuple[bytes, list[int]]:
    """The longest string, and the numbers between the text "labels" and the next."""
    labels: list[int] = []
    pixels: Any = b""
    value: Any
    in_labels = False
    for opcode, value, _ in pickletools.genops(file):
        if opcode.name in _TEXTS:
            in_labels = value in ("labels", b"labels")
            if len(value) > len(pixels):
                pixels = value
        elif in_labels and opcode.name in _NUMBERS:
            labels.append(value)
    # pickletools shows the bytes of Python 2's strings as Latin-1.
    return pixels.encode("latin-1") if isinstance(pixels, str) else pixels, labels


def _error(path: Path, found: str) -> ValueError:
    return ValueError(
        "`path` must be a batch of CIFAR-10 for Python, whole and undamaged. Received: "
        f"path={str(path)!r} ({found}). Fetch it again."
    )
