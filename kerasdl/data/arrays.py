"""MNIST, Fashion-MNIST and CIFAR-10 in memory: of a folder, or Keras's downloads."""

from collections.abc import Callable
from pathlib import Path

from kerasdl._checks import check_directory
from kerasdl._seeds import resolve_seed

from ._array_files import Split, read_batch_files, read_class_folders, read_idx_files
from ._folder_splits import split_folders
from ._keras_cache import fetch_cifar10, fetch_fashion_mnist, fetch_mnist
from ._photo_list import drawn_rows
from .augment import Augment
from .image_data import ImageData

_DIGITS = tuple("0123456789")
_FASHION = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def mnist(
    directory: str | Path | None = None,
    valid_fraction: float | None = None,
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    augment: str | Augment | None = None,
    *,
    max_images: int | None = None,
    seed: int | None = None,
) -> ImageData:
    """MNIST: 60,000 and 10,000 handwritten digits, 28x28 gray, as RGB.

    Args:
        directory: holds the four IDX files (`train-images-idx3-ubyte.gz` and so on,
            compressed or not), or `train/` and `test/`, or folders of other usual names
            for these, with a folder of images for each class. None takes Keras's
            cache, or downloads what is not there.
        valid_fraction: share of each class, in (0, 1), of the training images that is
            kept for validation. None trains on all of them, and the test images serve
            for validation too, as the lessons have it: choose nothing by them then.
        image_size: one side or (height, width), in pixels; None keeps 28x28.
        batch_size: images in a batch.
        augment: of the training images, as in `image_folder`.
        max_images: at most so many images of each split, the classes in proportion.
        seed: of the split, the order and the augmentation; None draws one and prints
            it.

    Raises:
        ValueError: `directory` holds something else, a file is damaged, the download
            failed, or an argument is outside its range.

    Reference:
        LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist
    """
    arrays = _find(directory, _DIGITS, read_idx_files, fetch_mnist)
    return _image_data(
        arrays,
        valid_fraction=valid_fraction,
        image_size=image_size,
        batch_size=batch_size,
        augment=augment,
        max_images=max_images,
        seed=seed,
    )


def fashion_mnist(
    directory: str | Path | None = None,
    valid_fraction: float | None = None,
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    augment: str | Augment | None = None,
    *,
    max_images: int | None = None,
    seed: int | None = None,
) -> ImageData:
    """Fashion-MNIST: 60,000 and 10,000 pieces of clothing, 28x28 gray, as RGB.

    Arguments and errors are those of `mnist`.

    Reference:
        Xiao, Rasul & Vollgraf, 2017, https://arxiv.org/abs/1708.07747
    """
    arrays = _find(directory, _FASHION, read_idx_files, fetch_fashion_mnist)
    return _image_data(
        arrays,
        valid_fraction=valid_fraction,
        image_size=image_size,
        batch_size=batch_size,
        augment=augment,
        max_images=max_images,
        seed=seed,
    )


def cifar10(
    directory: str | Path | None = None,
    valid_fraction: float | None = None,
    image_size: int | tuple[int, int] | None = None,
    batch_size: int = 64,
    augment: str | Augment | None = None,
    *,
    max_images: int | None = None,
    seed: int | None = None,
) -> ImageData:
    """CIFAR-10: 50,000 and 10,000 photos of ten kinds of things, 32x32 RGB.

    The pickles of its own files are looked through for pixels and labels, but never
    loaded, so that they run no code.

    Arguments and errors are those of `mnist`, but for `directory`: it holds `train/`
    and `test/` with a folder of images for each class (then of any classes and of one
    size), or `data_batch_1` to `data_batch_5` and `test_batch`, also in a folder
    `cifar-10-batches-py`.

    Reference:
        Krizhevsky, 2009, https://www.cs.toronto.edu/~kriz/cifar.html
    """
    arrays = _find(directory, CIFAR10_CLASSES, read_batch_files, fetch_cifar10)
    return _image_data(
        arrays,
        valid_fraction=valid_fraction,
        image_size=image_size,
        batch_size=batch_size,
        augment=augment,
        max_images=max_images,
        seed=seed,
    )


def _find(
    directory: str | Path | None,
    class_names: tuple[str, ...],
    read: Callable[[Path], tuple[Split, Split]],
    fetch: Callable[[], tuple[Split, Split]],
) -> tuple[Split, Split, tuple[str, ...]]:
    """Training images, test images and class names of `directory`, or of Keras."""
    if directory is None:
        return *fetch(), class_names
    directory = check_directory("directory", directory)
    if {"train", "test"} <= (splits := split_folders(directory)).keys():
        return read_class_folders(directory, splits["train"], splits["test"])
    return *read(directory), class_names


def _image_data(
    arrays: tuple[Split, Split, tuple[str, ...]],
    valid_fraction: float | None,
    image_size: int | tuple[int, int] | None,
    batch_size: int,
    augment: str | Augment | None,
    max_images: int | None,
    seed: int | None,
) -> ImageData:
    seed = resolve_seed(seed)
    *splits, class_names = arrays
    if max_images is not None:
        for number, (images, labels) in enumerate(splits):
            rows = drawn_rows("max_images", max_images, labels, seed)
            splits[number] = images[rows], labels[rows]
    train, test = splits
    return ImageData.from_arrays(
        *train,
        test if valid_fraction is None else valid_fraction,
        test,
        class_names,
        image_size=image_size,
        batch_size=batch_size,
        augment=augment,
        label_mode="categorical",  # the networks end in a softmax, of two classes too
        seed=seed,
    )
