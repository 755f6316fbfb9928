"""Digests of files' contents, read once and then remembered."""

import hashlib
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from kerasdl._atomic import write_text

from ._decode import ImageError
from ._open_file import open_file

_INDEX = "contents.json"
# A clock may be as coarse as that (FAT): what changed so lately is read again.
_SETTLED_NS = 2_000_000_000


class Contents:
    """SHA-256 of files, remembered in a cache folder from call to call.

    A file that was read is known again by its path, size, inode, and times of change
    in nanoseconds: of content and of status. The last of them cannot be set, so that an
    edit shows that keeps size and time, as of `rsync -t` or `cp -p`. A file that
    changed within two seconds before it was read is read again. An index that is
    damaged is made anew.

    To be used in a `with` block, which writes the index.

    Args:
        folder: of the cache; made when the index is written.
    """

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder) / _INDEX
        self._known: dict[str, list] = {}
        self._has_new = False

    def __enter__(self) -> Self:
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            known = None
        self._known = known if isinstance(known, dict) else {}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._has_new:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._path, json.dumps(self._known))

    def digest(self, path: str | Path) -> str:
        """SHA-256 of the content of an image file, in hexadecimal.

        Raises:
            ImageError: it cannot be read.
        """
        try:
            return self._digest(path)
        except OSError as error:
            raise ImageError(path, f"unreadable: {error.strerror}") from error

    def _digest(self, path: str | Path) -> str:
        name = os.path.abspath(path)
        with open_file(path) as file:
            found = os.fstat(file.fileno())
            state = [
                found.st_dev,
                found.st_ino,
                found.st_size,
                found.st_mtime_ns,
                found.st_ctime_ns,
            ]
            known = self._known.get(name)
            if isinstance(known, list) and known[:-1] == state:
                return str(known[-1])
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time_ns() - max(state[-2:]) > _SETTLED_NS:
            self._known[name] = [*state, digest]
            self._has_new = True
        return digest
