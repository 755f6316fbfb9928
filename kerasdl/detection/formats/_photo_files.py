"""The photo that an annotation speaks of, found below a folder."""

from collections import defaultdict
from pathlib import Path, PurePosixPath

from kerasdl._checks import check_directory
from kerasdl.data import list_images


class PhotoFiles:
    """Photos below a folder, found by parts of their paths.

    Args:
        root: the folder.

    Attributes:
        files: POSIX paths relative to `root`, in order.

    Raises:
        ValueError: there is no such folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = check_directory("path", root)
        self.files = list_images(self.root)[0]
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            self._by_stem[PurePosixPath(file).stem].append(file)

    def find(self, name: str, near: str = "") -> str:
        """The photo that is meant by `name`; `name` itself where there is none.

        A suffix other than that of the file does no harm.

        Args:
            name: a path, or the end of one.
            near: where several fit, one below this folder, or one whose folder is
                called so, is taken.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        found = self._by_stem.get(path.stem, [])
        if len(found) < 2:
            return found[0] if found else path.as_posix()

        def fits(file: str) -> tuple[bool, int]:
            photo = PurePosixPath(file)
            alike = zip(photo.parts[-2::-1], path.parts[-2::-1], strict=False)
            below = bool(near) and (
                photo.is_relative_to(near) or PurePosixPath(near).name in photo.parts
            )
            same = photo.suffix == path.suffix
            return below, sum(one == other for one, other in alike) + same

        return max(found, key=fits)
