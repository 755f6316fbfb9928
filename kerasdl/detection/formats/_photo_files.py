"""The photo that an annotation speaks of, found below a folder."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from kerasdl._checks import check_directory, first_few
from kerasdl.data import list_images, split_role

from ..annotations import Annotations


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
            self._by_stem[_composed(file).stem].append(file)
        self._claims: dict[str, tuple[Path, str]] = {}

    def find(self, name: str, near: str = "", split: str = "") -> str:
        """The photo that is meant by `name`; `name` itself where there is none.

        Folders that the name gives must be those of the photo, as far as both go. A
        suffix other than that of the file does no harm. Where several fit, that of the
        same suffix is taken, of the same split, of the most folders in common.

        Args:
            name: a path, or the end of one.
            near: folder of what speaks of the photo, relative to the root.
            split: of the photo, if it is known.

        Raises:
            ValueError: several fit equally well.
        """
        path = _composed(name.replace("\\", "/"))
        given = [part for part in path.parts[-2::-1] if part != ".."]
        by_stem = self._by_stem
        same = by_stem.get(path.stem) or by_stem.get(path.name) or []
        agreed = {file: _agreed(_composed(file).parts[-2::-1], given) for file in same}
        found = {file: count for file, count in agreed.items() if count is not None}
        if not found:
            return path.as_posix()
        exact = {
            str(PurePosixPath(near, path).with_suffix("")),
            str(path.with_suffix("")),
        }

        def fit(file: str) -> tuple[int, ...]:
            photo = _composed(file)
            return (
                found[file],
                photo.suffix.lower() == path.suffix.lower(),
                bool(split) and folder_role(file) == split,
                _common(photo.parts[:-1], PurePosixPath(near).parts),
                str(photo.with_suffix("")) in exact,
            )

        best = max(map(fit, found))
        equal = [file for file in found if fit(file) == best]
        if len(equal) > 1:
            raise ValueError(
                "Names of photos must say which are meant, by their folders. Received: "
                f"{name!r}, which may be {first_few(equal)}"
            )
        return equal[0]

    def claim(self, name: str, by: Path, split: str = "") -> str:
        """As `find`, for the file `by` alone.

        Raises:
            ValueError: as of `find`; or another file, or name, has had this photo.
        """
        photo = self.find(name, by.parent.relative_to(self.root).as_posix(), split)
        first = self._claims.setdefault(photo, (by, name))
        if first != (by, name) and (self.root / photo).is_file():
            raise ValueError(
                "Boxes of a photo must be in one place. Received: "
                f"{first[1]!r} of {str(first[0])!r} and {name!r} of {str(by)!r} are "
                f"both {photo!r}. Take one of them away."
            )
        return photo


def folder_role(file: str) -> str:
    """The split that the innermost folder of a usual name says, or ""."""
    folders = PurePosixPath(file).parts[:-1]
    return next(filter(None, map(split_role, reversed(folders))), "")


def visible(root: Path, pattern: str) -> Iterator[Path]:
    """Files below `root` of that name, in order, but what tools hide beside photos."""
    for file in sorted(root.rglob(pattern)):
        parts = file.relative_to(root).parts
        if not any(part.startswith(".") or part == "__MACOSX" for part in parts):
            yield file


def files_beside(
    annotations: Annotations, place: Callable[[str], Path]
) -> dict[str, Path]:
    """Where a file for each photo goes.

    Args:
        annotations: of the photos.
        place: says it for one.

    Raises:
        ValueError: a file would lie elsewhere than its photo below a folder, or be that
            of two photos.
    """
    paths = {file: PurePosixPath(file) for file in annotations.photos.index}
    if outside := [
        f for f, p in paths.items() if Path(f).is_absolute() or ".." in p.parts
    ]:
        raise ValueError(
            "`annotations` must name photos relative to their root, or files beside "
            f"those would be replaced. Received: {first_few(outside)}. Give "
            "`Detector.predict` their folder as `root`."
        )
    found = {file: place(file) for file in paths}
    first: dict[Path, str] = {}
    for file, target in found.items():
        if (other := first.setdefault(target, file)) != file:
            raise ValueError(
                "`annotations` must have photos of different names, suffixes aside, as "
                f"each has a file of its own. Received: {other!r} and {file!r}"
            )
    return found


def _composed(name: str) -> PurePosixPath:
    """A path whose accents are of their letters: disks of Apple part them."""
    return PurePosixPath(unicodedata.normalize("NFC", name))


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many folders two paths share, from the root on."""
    return len(os.path.commonprefix([one, other]))


def _agreed(folders: Sequence[str], given: Sequence[str]) -> int | None:
    """How many folders, the innermost first, two paths share; None if they differ."""
    pairs = list(zip(folders, given, strict=False))
    return len(pairs) if all(one == other for one, other in pairs) else None
