"""Damaged files: each is named and counted the first time it is met."""

import threading
import warnings

from ._decode import ImageError


class DamagedFiles(dict[str, str]):
    """Reason by path of the files that were left out so far, from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def leave_out(self, error: ImageError) -> None:
        """Warn of the file of `error`, unless that was done before."""
        with self._lock:
            if str(error.path) in self:
                return
            self[str(error.path)] = error.reason
            count = len(self)
        warnings.warn(f"left out {error} ({count} so far)", stacklevel=3)
