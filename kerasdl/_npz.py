"""`.npz` files that may be damaged or lie: arrays, or an error that names the file."""

import io
import math
import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

_MOST = 1 << 20  # bytes of arrays that any file may hold, however small it is


def read_npz(
    path: str | Path,
    names: Collection[str] = (),
    advice: str = "Remove it, and it is made anew.",
    expansion: int = 1,
    *,
    content: bytes | None = None,
) -> dict[str, np.ndarray]:
    """Read all arrays of a file that `np.savez` wrote; nothing in it is run.

    Args:
        path: the file, for errors and to read.
        names: of arrays that it must hold.
        advice: what to do with a damaged file, a sentence.
        expansion: arrays may take so many times the bytes of the file, and no more
            memory is taken for them; 1 MB is always allowed.
        content: of the file, where it was read before.

    Raises:
        ValueError: the file is damaged, or no such file.
    """
    content = Path(path).read_bytes() if content is None else content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            most = max(expansion * len(content), _MOST)
            if sum(entry.file_size for entry in archive.infolist()) > most:
                raise ValueError("it declares more bytes than it can hold")
            arrays = {
                entry.filename.removesuffix(".npy"): _array(archive.read(entry))
                for entry in archive.infolist()
            }
    # Of a damaged archive the readers make nearly any error.
    except Exception as error:
        raise damaged_file(path, str(error) or type(error).__name__, advice) from error
    if missing := [name for name in names if name not in arrays]:
        raise damaged_file(path, f"without {missing[0]}", advice)
    return arrays


def damaged_file(path: str | Path, found: str, advice: str) -> ValueError:
    """The error of a file of ours that is not as it was written."""
    return ValueError(
        f"{Path(path).name!r} must be whole and undamaged. Received: {str(path)!r} "
        f"({found}). {advice}"
    )


def _array(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, is_fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError("an array of other bytes than declared")
    order = "F" if is_fortran else "C"
    values = np.frombuffer(content, dtype, offset=file.tell())
    return values.reshape(shape, order=order).copy()
