"""Files opened that end."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_file(path: str | Path) -> BinaryIO:
    """Open a file to read its bytes, unbuffered.

    Raises:
        OSError: it cannot be opened, or is a pipe, which would be waited for, or a
            device, which may never end.
    """
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return open(path, "rb", buffering=0)
