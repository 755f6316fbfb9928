"""What `keras.datasets` downloads, found in Keras's cache or fetched into it."""

import os
import socket
from pathlib import Path
from typing import NamedTuple

import keras

from kerasdl._npz import read_npz

from ._array_files import BATCHES, IDX_FILES, Split, read_batch_files, read_idx_files

_TIMEOUT = 20  # seconds without an answer
_MNIST_EXPANSION = 20  # its archive is a fifth of its arrays
_CIFAR10_FOLDER = "cifar-10-batches-py"  # in the archive


class _File(NamedTuple):
    """A file as `keras.datasets` asks for it: both then share Keras's cache."""

    name: str
    origin: str
    subdir: str = "datasets"
    sha256: str | None = None
    extract: bool = False


_SITE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_MNIST = _File(
    "mnist.npz",
    f"{_SITE}mnist.npz",
    sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
)
_FASHION_MNIST = tuple(
    _File(f"{name}.gz", f"{_SITE}{name}.gz", "datasets/fashion-mnist")
    for name in IDX_FILES
)
_CIFAR10 = _File(
    "cifar-10-batches-py-target",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    extract=True,
)


def fetch_mnist() -> tuple[Split, Split]:
    """MNIST as Keras has it, one `.npz` file.

    Raises:
        ValueError: the file is damaged, or cannot be downloaded.
    """
    path = _cached(_MNIST)
    if not path.exists():
        path = _download(_MNIST, f"{IDX_FILES[0]}.gz and the other three")
    advice = "Remove it from Keras's cache, and it is downloaded again."
    names = "x_train", "y_train", "x_test", "y_test"
    file = read_npz(path, names, advice, _MNIST_EXPANSION)
    return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])


def fetch_fashion_mnist() -> tuple[Split, Split]:
    """Fashion-MNIST as Keras has it, four IDX files.

    Raises:
        ValueError: a file is damaged, or cannot be downloaded.
    """
    for file in _FASHION_MNIST:
        path = _cached(file)
        if not path.exists():
            path = _download(file, f"{IDX_FILES[0]}.gz and the other three")
    return read_idx_files(path.parent)


def fetch_cifar10() -> tuple[Split, Split]:
    """CIFAR-10 as Keras has it, six pickles, which are not loaded.

    Raises:
        ValueError: a file is damaged, or they cannot be downloaded.
    """
    folder = _cached(_CIFAR10)
    # Earlier versions of Keras unpacked it beside.
    for place in (folder / _CIFAR10_FOLDER, folder.parent / _CIFAR10_FOLDER):
        if all((place / name).is_file() for name in BATCHES):
            return read_batch_files(place)
    return read_batch_files(_download(_CIFAR10, f"{BATCHES[0]} and the other five"))


def _cached(file: _File) -> Path:
    """Where Keras keeps `file`.

    What is there is not held against its hash: Keras deletes a file with another.
    """
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / file.subdir / file.name


def _download(file: _File, needed: str) -> Path:
    path = _cached(file)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        found = keras.utils.get_file(
            file.name,
            file.origin,
            file_hash=file.sha256,
            cache_subdir=file.subdir,
            extract=file.extract,
            cache_dir=path.parents[len(Path(file.subdir).parts)],
        )
    except Exception as error:  # Keras raises a bare Exception
        what = f"what {Path(file.origin).name} holds" if file.extract else "it"
        raise ValueError(
            f"Without a folder {file.origin} must be on the network or in Keras's "
            f"cache. Received: {error}. Put {what} at {path}, or pass directory=DIR "
            f"(--data DIR), a folder with {needed}."
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    return Path(found)
