"""Damaged files: each is named and counted the first time it is met."""

import threading
import warnings
from collections.abc import Callable, Iterable

from kerasdl._checks import first_few
from kerasdl._parallel import map_ahead

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

    def readable_batches(
        self, batches: Iterable[Iterable[int]], read: Callable[[int], object]
    ) -> list[int]:
        """Which of `batches` hold an image that is not damaged; it is looked for.

        Keras asks for their number before it reads the first one.

        Args:
            batches: rows of images; of most the first one alone is read.
            read: reads the image of a row; what it returns is not looked at.

        Raises:
            ImageError: every image is damaged.
        """

        def is_whole(row: int) -> bool:
            try:
                read(row)
            except ImageError as error:
                self.leave_out(error)
                return False
            return True

        found = map_ahead(lambda rows: any(map(is_whole, rows)), batches)
        kept = [place for place, has_image in enumerate(found) if has_image]
        if not kept:
            raise ImageError(first_few(sorted(self)), "every image is damaged")
        return kept
