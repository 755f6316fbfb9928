"""The folders that MNIST, Fashion-MNIST and CIFAR-10 come in, as arrays."""

from pathlib import Path

import numpy as np

from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress

from ._cifar_batches import TEST, TRAIN, read_cifar_batches
from ._decode import read_image
from ._idx import read_idx
from ._listing import list_classes

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
BATCHES = (*TRAIN, *TEST)

Split = tuple[np.ndarray, np.ndarray]  # pixels uint8, and class indices


def read_class_folders(
    directory: Path, train: str, test: str
) -> tuple[Split, Split, tuple[str, ...]]:
    """Decode the folders `train` and `test` of `directory`, with a folder per class.

    Returns:
        Both splits, and the class names: the folders'.

    Raises:
        ValueError: a class that is empty or in one split alone, images of several
            sizes, or a damaged one.
    """
    arrays, class_names = _read_split(directory / train)
    arrays_of_test, others = _read_split(directory / test)
    if class_names != others:
        raise ValueError(
            "`directory` must hold the same class folders in train and in test. "
            f"Received: {', '.join(class_names)} and {', '.join(others)}"
        )
    return arrays, arrays_of_test, tuple(class_names)


def read_idx_files(directory: Path) -> tuple[Split, Split]:
    """Read the four IDX files in `directory`, compressed or not.

    Raises:
        ValueError: one of them is missing or damaged.
    """
    arrays = []
    for name in IDX_FILES:
        paths = [directory / name, directory / f"{name}.gz"]
        found = [path for path in paths if path.is_file()]
        if not found:
            raise _missing(directory, IDX_FILES, name, ", each as it is or as .gz")
        arrays.append(read_idx(found[0], 3 if "images" in name else 1))
    for images, labels, name in zip(
        arrays[::2], arrays[1::2], IDX_FILES[::2], strict=True
    ):
        if len(images) != len(labels):
            raise ValueError(
                "`directory` must hold a label for each image. Received: "
                f"directory={str(directory)!r} ({len(images)} images in {name}, "
                f"{len(labels)} labels)"
            )
    return tuple(arrays[:2]), tuple(arrays[2:])


def read_batch_files(directory: Path) -> tuple[Split, Split]:
    """Read CIFAR-10's own files in `directory`, or in the folder they come in.

    Raises:
        ValueError: one of them is missing or damaged.
    """
    below = directory / "cifar-10-batches-py"
    folder = below if below.is_dir() else directory
    for name in BATCHES:
        if not (folder / name).is_file():
            raise _missing(directory, BATCHES, name)
    return read_cifar_batches(folder, TRAIN), read_cifar_batches(folder, TEST)


def _read_split(folder: Path) -> tuple[Split, list[str]]:
    class_names, files, labels = list_classes(folder)
    paths = [folder / file for file in files]
    decoded = show_progress(map_ahead(read_image, paths), len(paths), folder.name)
    images = np.empty((0, 0, 0, 3), np.uint8)
    for number, image in enumerate(decoded):
        if number == 0:
            images = np.empty((len(paths), *image.shape), np.uint8)
        if image.shape != images.shape[1:]:
            raise ValueError(
                "`directory` must hold images of one size. Received: "
                f"{paths[0]} of {images.shape[1:3]}, {paths[number]} of "
                f"{image.shape[:2]}. `ImageData.from_folder` takes any sizes."
            )
        images[number] = image
    return (images, labels), class_names


def _missing(
    directory: Path, names: tuple[str, ...], missing: str, how: str = ""
) -> ValueError:
    return ValueError(
        f"`directory` must hold {', '.join(names)}{how}, or train/ and test/ with a "
        "folder of images per class. Received: "
        f"directory={str(directory)!r} (without {missing})"
    )
