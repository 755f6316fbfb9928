"""How many photos have which label, and how large they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasdl import plots
from kerasdl._checks import check_one_of
from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress

from ._decode import ImageError, image_size
from ._photo_splits import PhotoSplits

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class PhotoStatistics:
    """Labels and sizes of the photos in all splits.

    Attributes:
        counts: photos, a row for each split with labels, a column for each class; with
            several labels a photo, one photo counts for each of them.
        sizes: columns `split`, `height` and `width` in pixels, EXIF orientation
            applied; a row for each photo whose file has a readable header.
    """

    counts: pd.DataFrame
    sizes: pd.DataFrame

    @property
    def imbalance(self) -> float:
        """Training photos of the largest class over those of the smallest, or inf."""
        train = self.counts.loc["train"]
        return float(train.max() / train.min()) if train.min() else float("inf")

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lines = [self.counts.T.to_string(), f"imbalance {self.imbalance:.3g}"]
        return "\n".join(lines + describe_sizes(self.sizes[["height", "width"]]))

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draw `plots.save_photo_statistics`: widths, heights and `counts`."""
        return plots.save_photo_statistics(self.counts, self.sizes, path)


def photo_statistics(data: PhotoSplits, verbose: int = 1) -> PhotoStatistics:
    """Count labels and read sizes, from the files' headers alone.

    Args:
        data: an ImageData.
        verbose: 1 shows a progress bar, or ten lines where stderr is not a terminal;
            0 shows nothing.

    Raises:
        ValueError: `verbose` is neither 0 nor 1.

    Example:
        ```
        kd.data.photo_statistics(data)
        ```
    """
    check_one_of("verbose", verbose, (0, 1))
    rows = [
        (split, file, picture)
        for split in data.splits
        for file, picture in zip(data.files(split), data.pictures(split), strict=True)
    ]
    sizes = map_ahead(_size, [picture for *_, picture in rows])
    if verbose:
        sizes = show_progress(sizes, len(rows), "sizes of photos")
    table = pd.DataFrame(
        [(split, *size) for (split, *_), size in zip(rows, sizes, strict=True)],
        index=[file for _, file, _ in rows],
        columns=["split", "height", "width"],
    )
    known = table.dropna().astype({"height": int, "width": int})
    return PhotoStatistics(data.counts(), known)


def _size(picture: Path | np.ndarray) -> tuple[int | None, int | None]:
    if isinstance(picture, np.ndarray):
        return picture.shape[:2]
    try:
        return image_size(picture)
    except ImageError:
        return None, None


def describe_sizes(sizes: pd.DataFrame) -> list[str]:
    """A line for each column of `sizes`: smallest, largest and median side."""
    lines = []
    for side in sizes:
        if len(sizes):
            low, middle, high = sizes[side].quantile((0, 0.5, 1)).astype(int)
            lines.append(f"{side} {low} to {high} pixels, median {middle}")
    return lines
