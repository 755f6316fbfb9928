"""Files opened and read that end."""

import errno
import io
import os
import stat
from pathlib import Path


def open_file(path: str | Path) -> io.FileIO:
    """Open a file to read its bytes, unbuffered.

    Raises:
        OSError: it cannot be opened, or is a pipe, which would be waited for, or a
            device, which may never end.
    """
    _check_mode(os.stat(path).st_mode, path)
    return open(path, "rb", buffering=0)


def read_bytes(path: str | Path) -> bytes:
    """Return what is in a file, by the fewest calls of the system.

    Each call lets go of the interpreter, which other threads may then keep for a while.

    Raises:
        OSError: as by `open_file`.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # waits for no pipe
    try:
        status = os.fstat(descriptor)
        _check_mode(status.st_mode, path)
        content, size = b"", status.st_size
        # Seldom more than once: files that grow, of several GB, or of no stated size.
        while more := os.read(descriptor, size + 1):
            content += more
            if len(content) == size:
                break
        return content
    finally:
        os.close(descriptor)


def _check_mode(mode: int, path: str | Path) -> None:
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "no regular file", str(path))
