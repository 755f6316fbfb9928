"""Look at a folder of images before training: what is damaged, doubled, how much."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from kerasdl import plots
from kerasdl._checks import (
    check_directory,
    check_one_of,
    check_positive_int,
    first_few,
)
from kerasdl._names import as_text
from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress

from ._decode import (
    MAX_PIXELS,
    SUFFIX_FORMATS,
    ImageError,
    image_format,
    read_file,
)
from ._listing import list_images
from ._split_names import SPLITS, find_splits
from ._thorough import check_pixels
from .formats import heif
from .photo_statistics import describe_sizes
from .samples._write_sample import MANIFEST as OF_DRAWINGS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMED = 10  # files that are no images, each on a line

_READS_HEIC = f"pip install 'kerasdl[{heif.EXTRA}]' reads them"


@dataclass(frozen=True, eq=False, repr=False)
class ImageCheck:
    """What `check_images` found. Files are POSIX paths relative to `path`.

    Attributes:
        path: the folder as it was given.
        counts: usable images, a row for each split, a column for each class. "all" is
            the split where the folder has none; "" is the class of images outside a
            class folder.
        sizes: columns `height` and `width` in pixels, EXIF orientation applied; a row
            for each usable image.
        damaged: reason by file: everything that cannot be used, whether damaged,
            empty, not an image, unreadable or above the pixel limit.
        wrong_suffix: the content's format by file, where the suffix names another;
            such a file is usable.
        ignored: files without the suffix of an image.
        duplicates: groups of usable images with equal bytes.
        digests: SHA-256 in hexadecimal of each readable image's bytes, damaged or not.
    """

    path: str
    counts: pd.DataFrame
    sizes: pd.DataFrame
    damaged: dict[str, str]
    wrong_suffix: dict[str, str]
    ignored: list[str]
    duplicates: list[list[str]]
    digests: dict[str, str] = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hexadecimal over the names and contents of all readable images."""
        lines = "".join(
            f"{name}\0{self.digests[name]}\n" for name in sorted(self.digests)
        )
        return hashlib.sha256(lines.encode()).hexdigest()

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = [
            f"{as_text(self.path)}: {len(self.sizes)} usable images, "
            f"{len(self.damaged)} damaged, "
            f"{len(self.wrong_suffix)} with the suffix of another format, "
            f"{len(self.duplicates)} groups of duplicates",
            self.counts.to_string(),
        ]
        lines += describe_sizes(self.sizes)
        lines += [f"damaged: {ImageError(*found)}" for found in self.damaged.items()]
        lines += [
            f"other format: {name} is {kind}"
            for name, kind in self.wrong_suffix.items()
        ]
        lines += [self._duplicates_line(group) for group in self.duplicates]
        heic = _heic(self.ignored)
        others = [name for name in self.ignored if name not in heic]
        if len(others) > _NAMED:  # as annotations beside the photos
            lines.append(f"ignored: {first_few(others)}")
        else:
            lines += [f"ignored: {name}" for name in others]
        if heic:
            lines.append(f"{len(heic)} HEIC photos left out: {_READS_HEIC}")
        return "\n".join(lines)

    def _duplicates_line(self, group: list[str]) -> str:
        splits = {name.split("/")[0] for name in group} & set(self.counts.index)
        where = " across splits" if len(splits) > 1 else ""
        return f"duplicates{where}: {', '.join(group)}"

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draw `plots.save_photo_statistics`: widths, heights and `counts`."""
        return plots.save_photo_statistics(self.counts, self.sizes, path)


def check_images(
    path: str | Path,
    max_pixels: int = MAX_PIXELS,
    workers: int | None = None,
    verbose: int = 1,
) -> ImageCheck:
    """Decode every image below `path` and report what is wrong with which file.

    Files count as images by their suffix; names that start with a dot are passed over.
    Of JPEGs this finds more damage than reading them for training does: also what left
    too many blocks in the image, which shifts all that follows. What damage changes
    without a change of their number is found by no decoder.

    Args:
        path: splits of class folders, by their usual names, class folders alone, or a
            flat folder.
        max_pixels: height * width above which an image is not decoded but reported; a
            JPEG that is larger counts by an eighth of its sides, as it may be read.
        workers: number of threads; None takes one for each processor.
        verbose: 1 shows a progress bar, or ten lines where stderr is not a terminal;
            0 shows nothing.

    Raises:
        ValueError: an argument is out of range, or `path` is no folder with images.

    Example:
        ```
        check = kd.data.check_images("photos")
        check.damaged, check.duplicates
        ```
    """
    root = check_directory("path", path)
    check_positive_int("max_pixels", max_pixels)
    if workers is not None:
        check_positive_int("workers", workers)
    check_one_of("verbose", verbose, (0, 1))
    images, others = list_images(root)
    names = list(map(as_text, images))
    if not images:
        heic = _heic(others)
        more = f", {len(heic)} HEIC photos: {_READS_HEIC}" if heic else ""
        raise ValueError(
            f"`path` must hold images ({' '.join(SUFFIX_FORMATS)}). "
            f"Received: path={str(path)!r} (0 images{more})."
        )
    findings = map_ahead(
        lambda name: _examine(root / name, max_pixels), images, workers
    )
    if verbose:
        findings = show_progress(findings, len(images), "checking images")
    table = pd.DataFrame(findings, index=names, columns=_Finding._fields)
    usable = table[table.reason.isna()]
    repeated = usable[usable.digest.duplicated(keep=False)]
    return ImageCheck(
        path=str(path),
        counts=_count(names, set(usable.index)),
        sizes=usable[["height", "width"]].astype(int),
        damaged=table.reason.dropna().to_dict(),
        wrong_suffix={
            name: kind
            for name, kind in usable.kind.items()
            if SUFFIX_FORMATS[PurePosixPath(name).suffix.lower()] != kind
        },
        # What a folder of drawings was made by stands in it.
        ignored=[name for name in map(as_text, others) if name != OF_DRAWINGS],
        duplicates=[
            list(g) for g in repeated.groupby("digest", sort=False).groups.values()
        ],
        digests=table.digest.dropna().to_dict(),
    )


class _Finding(NamedTuple):
    """What one file holds; None is what could not be found out."""

    digest: str | None = None
    kind: str | None = None
    height: int | None = None
    width: int | None = None
    reason: str | None = None


def _heic(names: Iterable[str]) -> list[str]:
    """Which are photos of phones, that are listed as images once they can be read."""
    return [name for name in names if name.lower().endswith(heif.SUFFIXES)]


def _examine(path: Path, max_pixels: int) -> _Finding:
    finding = _Finding()
    try:
        data = read_file(path)
        finding = finding._replace(digest=hashlib.sha256(data).hexdigest())
        height, width = check_pixels(data, path, max_pixels)
        kind = image_format(data, path)
    except ImageError as error:
        return finding._replace(reason=error.reason)
    return finding._replace(kind=kind, height=height, width=width)


def _count(images: list[str], usable: set[str]) -> pd.DataFrame:
    """Count usable images; a class that has none of them left counts 0."""
    found = find_splits(images)
    rows = []
    for name in images:
        place, below = "all", PurePosixPath(name)
        for folder in found:
            if below.is_relative_to(folder):
                place, below = folder, below.relative_to(folder)
                break
        rows.append((place, below.parts[0] if len(below.parts) > 1 else ""))
    table = pd.DataFrame(rows, columns=["split", "class"])
    table["usable"] = [name in usable for name in images]
    counts = table.groupby(["split", "class"]).usable.sum().unstack(fill_value=0)
    known = sorted(counts.index, key=lambda name: SPLITS.index(found.get(name, "test")))
    return counts.reindex(known)
