"""IDX files, the format of MNIST: a header of sizes, then bytes.

Reference: http://yann.lecun.com/exdb/mnist, "The IDX file format"
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

_UINT8 = 0x08
_EXPANSION = 100  # of gzip, for images that are black in the main
_LEAST = 1 << 20  # bytes that any file may hold


def read_idx(path: str | Path, num_axes: int) -> np.ndarray:
    """Read an IDX file of bytes, plain or compressed by gzip.

    Args:
        path: the file; one whose name ends in `.gz` is compressed.
        num_axes: 1 for labels `(n,)`, 3 for images `(n, height, width)`.

    Raises:
        ValueError: the file is damaged, or holds something else. What its header says
            is believed up to the file's size, or 100 times that where it is compressed.
    """
    most = Path(path).stat().st_size * (_EXPANSION if str(path).endswith(".gz") else 1)
    open_file = gzip.open if Path(path).suffix == ".gz" else open
    try:
        with open_file(path, "rb") as file:
            magic = file.read(4)
            if magic != bytes([0, 0, _UINT8, num_axes]):
                raise _error(path, num_axes, f"magic number 0x{magic.hex()}")
            header = file.read(4 * num_axes)
            if len(header) < 4 * num_axes:
                raise _error(path, num_axes, "the header is cut short")
            shape = struct.unpack(f">{num_axes}I", header)
            if math.prod(shape) > max(most, _LEAST):
                found = f"{math.prod(shape):,} bytes by its header"
                raise _error(path, num_axes, f"{found}, which it cannot hold")
            content = file.read(math.prod(shape) + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _error(path, num_axes, str(error)) from error
    if len(content) != math.prod(shape):
        longer = len(content) > math.prod(shape)
        found = "more" if longer else f"{len(content):,}"
        expected = f"{found} bytes where the header says {math.prod(shape):,}"
        raise _error(path, num_axes, expected)
    return np.frombuffer(content, np.uint8).reshape(shape)


def _error(path: str | Path, num_axes: int, found: str) -> ValueError:
    kind = "labels" if num_axes == 1 else "images"
    return ValueError(
        f"`path` must be an IDX file of {kind}, whole and undamaged. Received: "
        f"path={str(path)!r} ({found}). Fetch it again."
    )
