"""The frozen trunk runs once: its activations on disk, read back memory-mapped."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import filelock
import keras
import numpy as np
import tensorflow as tf

from kerasdl import _atomic
from kerasdl._cache_dir import default_cache_dir
from kerasdl._checks import check_positive_int, make_writable_folder, size_pair
from kerasdl._pixels import check_pixels
from kerasdl._progress import show_progress
from kerasdl.data import MAX_PIXELS, Contents, DatasetPhotos, PhotoBatches
from kerasdl.models import fold_batch_norm
from kerasdl.models.picture_shape import picture_shape

from .distributed import on_one_device
from .fingerprint import check_cache_key, fingerprint

_FORMAT = 3  # of the cache; a change makes every older cache unknown


class CachedActivations:
    """Activations of one network output for a list of photos, memory-mapped.

    Attributes:
        arrays: one read-only array `(photos, *output_shape)` for each output.
        computed: photos that went through the network in this call.
        reused: photos whose activations were on disk already.
    """

    def __init__(self, arrays: list[np.ndarray], computed: int, reused: int) -> None:
        self.arrays = arrays
        self.computed = computed
        self.reused = reused


def cached_activations(
    model: keras.Model,
    paths: Sequence[str | Path | np.ndarray] | tf.data.Dataset,
    resize: str = "crop",
    flip: bool = False,
    batch_size: int = 32,
    cache_dir: str | Path | None = None,
    verbose: int = 1,
    *,
    cache_key: str | None = None,
    max_pixels: int = MAX_PIXELS,
) -> CachedActivations:
    """Run `model` over photos once; a second call reads the first one's result.

    The cache is keyed by the content of the files (read once, then known by size, inode
    and times of change), the way they are resized and
    flipped, and the network with its weights. It grows a batch at a time: a call that
    was killed is continued, a batch that was cut short is made again. Two processes
    that want the same activations wait for each other. Under a strategy of
    `tf.distribute` each worker computes them all, on one device.

    Args:
        model: takes pixels in [0, 255], `(batch, height, width, 3)`; one or several
            outputs.
        paths: image files, or pixels as `ImageData.pictures` returns them, or a
            dataset as `data.DatasetPhotos` takes it.
        resize: "crop", "squash" or "pad".
        flip: run over the photos mirrored left-right.
        batch_size: photos in a step.
        cache_dir: folder of all caches; None takes `default_cache_dir()`.
        verbose: 1 shows a progress bar, or ten lines where stderr is not a terminal;
            0 shows nothing.
        cache_key: a text that you change with the code of your own layers and
            functions, which the key of the cache cannot know.
        max_pixels: largest height * width of a file that is decoded.

    Returns:
        The activations, rows in the order of `paths`.

    Raises:
        ValueError: a damaged image file (an `ImageError`), bad arguments, or a layer or
            function of `model` that is of neither Keras nor kerasdl, without
            `cache_key`.
        OSError: the disk is full; what was written is kept for the next call.

    Example:
        ```
        trunk = kd.models.build_trunk("efficientnet_lite0", image_size=data.image_size)
        found = kd.train.cached_activations(trunk, data.pictures("valid"), data.resize)
        found.arrays[0].shape
        ```
    """
    check_positive_int("batch_size", batch_size)
    image_size = size_pair("image_size", picture_shape(model)[1:3])
    check_cache_key(model, cache_key)
    if isinstance(paths, tf.data.Dataset):
        paths = DatasetPhotos(paths).pictures()
    if isinstance(paths, (str, Path)) or not isinstance(paths, (Sequence, np.ndarray)):
        raise ValueError(
            "`paths` must be a list of image files or of pictures, or a "
            f"tf.data.Dataset. Received: paths={paths!r:.200}. The files of a split "
            "are `data.pictures(split)`."
        )
    check_pixels("paths", [path for path in paths if isinstance(path, np.ndarray)])
    root = make_writable_folder("cache_dir", cache_dir or default_cache_dir())
    outputs = [tuple(o.shape[1:]) for o in model.outputs]
    key = {
        "format": _FORMAT,
        "network": model.name,
        "network_sha256": fingerprint(model),
        "photos": len(paths),
        "photos_sha256": _digest_files(paths, root),
        "image_size": image_size,
        "resize": resize,
        "flip": flip,
        "batch_size": batch_size,  # another one rounds otherwise
    }
    if cache_key is not None:
        key["cache_key"] = cache_key
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / "lock"):
        if not (folder / "key.json").exists():
            _atomic.write_json(folder / "key.json", key)
        files = [
            _RowFile(folder / f"output-{i}.npy", (len(paths), *shape))
            for i, shape in enumerate(outputs)
        ]
        reused = min(file.rows() for file in files)
        if reused < len(paths):
            # Whole batches that every output has; the rest is made again.
            reused -= reused % batch_size
            photos = PhotoBatches(
                paths,
                np.zeros(len(paths)),
                image_size,
                batch_size,
                resize,
                on_error="raise",
                max_pixels=max_pixels,
            )
            with on_one_device(model) as alone:
                _fill(
                    files,
                    fold_batch_norm(alone),
                    photos,
                    start=reused,
                    flip=flip,
                    verbose=verbose,
                )
    arrays = [np.load(file.path, mmap_mode="r") for file in files]
    return CachedActivations(arrays, len(paths) - reused, reused)


def cache_size(cache_dir: str | Path | None = None) -> int:
    """Bytes of all cached activations below `cache_dir`."""
    files = (f for c in _caches(cache_dir) for f in c.iterdir())
    return sum(file.stat().st_size for file in files)


def clear_cache(cache_dir: str | Path | None = None) -> int:
    """Remove all cached activations, and nothing else; return the bytes freed."""
    freed = cache_size(cache_dir)
    for cache in _caches(cache_dir):
        shutil.rmtree(cache)
    return freed


def _caches(cache_dir: str | Path | None) -> list[Path]:
    root = Path(cache_dir or default_cache_dir())
    return [path.parent for path in root.glob("*/key.json")]


def _digest_files(paths: Sequence[str | Path | np.ndarray], root: Path) -> str:
    digest = hashlib.sha256()
    with Contents(root) as contents:
        for path in paths:
            if isinstance(path, np.ndarray):
                part = hashlib.sha256(path.tobytes()).digest()
                digest.update(f"{path.shape}".encode() + part)
            else:
                digest.update(bytes.fromhex(contents.digest(path)))
    return digest.hexdigest()


def _fill(
    files: list["_RowFile"],
    model: keras.Model,
    photos: PhotoBatches,
    start: int,
    flip: bool,
    verbose: int,
) -> None:
    """Append the activations of all photos from number `start` on."""
    for file in files:
        file.truncate(start)
    batches = range(start // photos.batch_size, photos.stream.num_batches)
    if verbose:
        batches = show_progress(
            batches, len(photos.pictures), model.name, start, photos.batch_size
        )
    for index in batches:
        images, _ = photos.stream.take(0, index)
        images = np.ascontiguousarray(images[:, :, ::-1]) if flip else images
        results = model.predict_on_batch(images.astype("float32"))
        results = results if isinstance(results, (list, tuple)) else [results]
        for file, rows in zip(files, results, strict=True):
            file.append(rows)


class _RowFile:
    """A float32 `.npy` file of a known shape that grows by rows."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path = path
        self._row_bytes = int(np.prod(shape[1:])) * 4
        header = BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )
        self._header = header.getvalue()

    def rows(self) -> int:
        """Number of whole rows in the file; none if its header is damaged."""
        if not self.path.exists():
            return 0
        with open(self.path, "rb") as file:
            if file.read(len(self._header)) != self._header:
                return 0
        return (self.path.stat().st_size - len(self._header)) // self._row_bytes

    def truncate(self, rows: int) -> None:
        """Keep the first `rows` rows, of at least as many."""
        if rows == 0:
            _atomic.write_bytes(self.path, self._header)
        os.truncate(self.path, len(self._header) + rows * self._row_bytes)

    def append(self, rows: np.ndarray) -> None:
        with (
            _atomic.naming_full_folder(self.path.parent, self.path.name),
            open(self.path, "ab") as file,
        ):
            file.write(np.ascontiguousarray(rows, "float32").data)
            file.flush()
            os.fsync(file.fileno())
