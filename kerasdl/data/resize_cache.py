"""Smaller copies of photos on disk, made once: small images then come in faster."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from kerasdl._atomic import remove_dead_partials, write_bytes
from kerasdl._cache_dir import default_cache_dir
from kerasdl._checks import check_one_of, check_positive_int, make_writable_folder
from kerasdl._names import as_text
from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress

from ._contents import Contents
from ._decode import MAX_PIXELS, ImageError, decode_image, encoded_size, read_file

_FORMAT = 2  # of the copies; a change makes older ones unknown


def resize_photos(
    paths: Sequence[str | Path],
    side: int,
    quality: int = 95,
    cache_dir: str | Path | None = None,
    workers: int | None = None,
    verbose: int = 1,
    *,
    on_error: str = "skip",
    max_pixels: int = MAX_PIXELS,
) -> list[Path]:
    """Write JPEG copies of photos whose shorter side is `side` pixels.

    So a copy is never smaller than a crop, a stretch or a padded view of `side` x
    `side` needs. A photo that is not larger is copied as it is. EXIF orientation is
    applied.

    Each copy appears whole, and stays: a second call makes only what is missing, also
    after a kill. It belongs to the photo's content, so that a photo that was changed is
    copied anew. The content is read once; then the photo is known by its path, size,
    inode and times of change.

    Args:
        paths: image files.
        side: shorter side of a copy, in pixels.
        quality: of the JPEG files, 1 to 100.
        cache_dir: holds the folder `resized` with all copies; None takes the user's
            cache folder, `$XDG_CACHE_HOME/kerasdl` or `~/.cache/kerasdl`.
        workers: number of threads; None takes one for each processor.
        verbose: 1 shows a progress bar, or ten lines where stderr is not a terminal;
            0 shows nothing.
        on_error: for a damaged file "skip" returns its own path, so that it is named
            and left out where it is used; "raise" stops.
        max_pixels: largest height * width that is decoded; a larger JPEG is reduced
            while it is decoded.

    Returns:
        The copies, in the order of `paths`.

    Raises:
        ImageError: a damaged file under `on_error="raise"`.
        ValueError: an argument outside its range.

    Example:
        ```
        photos = data.paths("valid")
        smaller = kd.data.resize_photos(photos, side=16, cache_dir="copies")
        ```
    """
    check_positive_int("side", side)
    check_positive_int("quality", quality)
    if quality > 100:
        raise ValueError(f"`quality` must be at most 100. Received: quality={quality}")
    if workers is not None:
        check_positive_int("workers", workers)
    check_one_of("verbose", verbose, (0, 1))
    check_one_of("on_error", on_error, ("skip", "raise"))
    check_positive_int("max_pixels", max_pixels)
    folder = Path(cache_dir or default_cache_dir()) / "resized" / f"{side}-{quality}"
    make_writable_folder("cache_dir", folder)
    remove_dead_partials(folder)

    def copy(path: str | Path) -> Path:
        try:
            return _copy(
                Path(path),
                folder,
                side=side,
                quality=quality,
                max_pixels=max_pixels,
                contents=contents,
            )
        except ImageError:
            if on_error == "raise":
                raise
            return Path(path)

    with Contents(folder.parent) as contents:
        copies: Iterator[Path] = map_ahead(copy, paths, workers)
        if verbose:
            copies = show_progress(copies, len(paths), f"photos of {side} pixels")
        return list(copies)


def _copy(
    path: Path,
    folder: Path,
    side: int,
    quality: int,
    max_pixels: int,
    contents: Contents,
) -> Path:
    """Path of the copy, which is made unless it is there."""
    copy = _place(path, folder, contents.digest(path))
    if copy.exists():
        return copy
    data = read_file(path)
    copy = _place(path, folder, hashlib.sha256(data).hexdigest())
    smaller = _smaller(data, path, side, quality, max_pixels)
    write_bytes(copy, smaller, clean=False)
    return copy


def _place(path: Path, folder: Path, digest: str) -> Path:
    return folder / f"{as_text(path.stem)[:60]}-{_FORMAT}-{digest[:24]}.jpg"


def _smaller(
    data: bytes, path: Path, side: int, quality: int, max_pixels: int
) -> bytes:
    # At full size if that is allowed: a copy is made once, and one average is sharper
    # than two.
    height, width = encoded_size(data, path)
    target = (side, side) if height * width > max_pixels else None
    pixels = decode_image(data, path, target, max_pixels)
    height, width = pixels.shape[:2]
    if min(height, width) <= side:
        return data
    scale = side / min(height, width)
    size = max(side, round(width * scale)), max(side, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    bgr = np.ascontiguousarray(small[..., ::-1])
    _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return content.tobytes()
