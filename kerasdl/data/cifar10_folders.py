"""CIFAR-10 as files that other tools read: one PNG an image, by class."""

from pathlib import Path

import cv2
import numpy as np

from kerasdl._atomic import remove_all_partials, write_bytes
from kerasdl._atomic_folder import claimed, partial_of, publish
from kerasdl._checks import check_directory
from kerasdl._names import print_line
from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress

from ._array_files import Split, read_batch_files
from ._keras_cache import fetch_cifar10
from .arrays import CIFAR10_CLASSES


def cifar10_to_folders(target: str | Path, directory: str | Path | None = None) -> Path:
    """Write CIFAR-10's own files as `target/train|test/<class>/<number>.png`.

    The numbers are an image's place in its split, so that nothing depends on the order
    of a folder. `target` appears once it is whole: until then the images are in
    `TARGET.partial`, where a call goes on that follows one that was cut short.

    Args:
        target: a folder that does not exist yet.
        directory: holds `data_batch_1` to `data_batch_5` and `test_batch`, also in a
            folder `cifar-10-batches-py`. None takes Keras's cache, or downloads it.

    Returns:
        `target`.

    Raises:
        ValueError: `target` exists or is at work, its partial folder holds other
            files, or a file of `directory` is missing or damaged.
    """
    target = Path(target)
    if directory is not None:
        directory = check_directory("directory", directory)
    _check_missing(target)
    splits = fetch_cifar10() if directory is None else read_batch_files(directory)
    with claimed(target, "target"):
        _check_missing(target)  # another process may have been first
        partial = partial_of(target)
        images = dict(_images(partial, *splits))
        _check_ours(target, images)
        written = map_ahead(lambda path: _write(path, images[path]), images)
        for _ in show_progress(written, len(images), target.name):
            pass
        publish(target)
    counts = " and ".join(
        f"{len(labels):,} {name}"
        for name, (_, labels) in zip(("training", "test"), splits, strict=True)
    )
    print_line(f"{target}: {counts} images of {len(CIFAR10_CLASSES)} classes")
    return target


def _images(folder: Path, train: Split, test: Split) -> list[tuple[Path, np.ndarray]]:
    """Where each image goes, and its pixels."""
    return [
        (folder / split / CIFAR10_CLASSES[label] / f"{number:05d}.png", image)
        for split, (images, labels) in (("train", train), ("test", test))
        for number, (image, label) in enumerate(zip(images, labels, strict=True))
    ]


def _write(path: Path, image: np.ndarray) -> None:
    """Write what is not there yet: a file that is there is whole."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # OpenCV takes blue first.
    _, png = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))
    write_bytes(path, png.tobytes(), clean=False)


def _check_missing(target: Path) -> None:
    if target.exists():
        raise ValueError(
            "`target` must not exist yet. Received: "
            f"target={str(target)!r}. Remove it or choose another name."
        )


def _check_ours(target: Path, images: dict[Path, np.ndarray]) -> None:
    """Remove halves of files that a kill left; raise ValueError if there are others."""
    partial = partial_of(target)
    remove_all_partials(partial)
    for path in partial.rglob("*"):
        if path.is_file() and path not in images:
            raise ValueError(
                "`target` must be a name that is free with .partial too. Received: "
                f"target={str(target)!r}, where {partial.name} holds "
                f"{path.relative_to(partial)}. Choose another name."
            )
