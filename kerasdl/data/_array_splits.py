"""Arrays of photos as splits: what `ImageData.from_arrays` reads."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from kerasdl._checks import check_class_names
from kerasdl._pixels import check_pixels

from ._photo_list import PhotoList, check_fraction, held_out, split_photos


def read_arrays(
    images: np.ndarray,
    labels: Any,
    valid: Any,
    test: float | tuple[np.ndarray, Any] | np.ndarray | None,
    class_names: Sequence[str] | None,
    seed: int,
) -> tuple[list[str], dict[str, PhotoList]]:
    """Class names and splits of arrays; `ImageData.from_arrays` says how.

    Raises:
        ValueError: arrays that do not fit each other, or hold something else.
    """
    images = np.asarray(images)
    labels = _label_array("labels", labels, len(images) if images.ndim else 0)
    names, index = _classes(labels, class_names)
    photos = _photos("images", images, _encode("labels", labels, names, index))
    extra = {}
    for name, given in (("valid", valid), ("test", test)):
        if isinstance(given, tuple):
            if len(given) != 2 or np.isscalar(given[0]):
                raise ValueError(
                    f"`{name}` must be a pair of images and labels where it is a tuple"
                    f"{'; positions are a list' if name == 'valid' else ''}. Received: "
                    f"{name}={given!r:.60}"
                )
            pixels, own = np.asarray(given[0]), given[1]
            count = len(pixels) if pixels.ndim else 0
            own = _encode(name, _label_array(name, own, count), names, index)
            extra[name] = _photos(name, pixels, own)
        elif name == "test" and isinstance(given, np.ndarray):
            extra[name] = _photos(name, given, None)
    if "valid" in extra:
        if test is not None and "test" not in extra:
            raise ValueError(
                "`test` must be arrays or None where `valid` is given as arrays. "
                f"Received: test={test!r}"
            )
        splits = {"train": photos, "valid": extra["valid"]}
    else:
        if isinstance(valid, Real):
            held = check_fraction("valid", valid)
        else:
            held = held_out(photos, valid)
        share = None if isinstance(test, (tuple, np.ndarray)) else test
        splits = split_photos(photos, names, held, share, seed)
    if "test" in extra:
        splits["test"] = extra["test"]
    return names, splits


def _photos(name: str, images: np.ndarray, labels: np.ndarray | None) -> PhotoList:
    return PhotoList(
        [str(number) for number in range(len(images))],
        list(_pixels(name, images)),  # views: nothing is copied
        labels,
    )


def _pixels(name: str, images: np.ndarray) -> np.ndarray:
    """uint8 pixels `(n, height, width)` or `(n, height, width, 1 or 3)`."""
    images = np.asarray(images)
    is_float = np.issubdtype(images.dtype, np.floating)
    shapes_fit = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))
    if not (shapes_fit and images.size and (is_float or images.dtype == np.uint8)):
        raise ValueError(
            f"`{name}` must be images (n, height, width), grey, or (n, height, width, "
            "1 or 3) of uint8 or float. Received: an array "
            f"{images.shape} of {images.dtype}"
        )
    if not is_float:
        return images
    check_pixels(name, images)
    return np.rint(images).astype(np.uint8)


def _label_array(name: str, labels: Any, count: int) -> np.ndarray:
    """Integers from 0 on or strings, `(n,)`, or rows of 0 and 1, `(n, classes)`."""
    try:
        labels = np.asarray(labels)
    except ValueError:  # rows of several lengths
        labels = np.empty(0, object)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]  # as Keras's CIFAR-10 has them
    if labels.ndim not in (1, 2) or len(labels) != count:
        raise ValueError(
            f"`{name}` must have a label, or a row of labels, for each image. "
            f"Received: labels of shape {labels.shape} for {count} images"
        )
    if labels.ndim == 1:
        return _one_label(name, labels)
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"`{name}` must have multi-hot labels of 0 and 1. "
            f"Received: labels of shape {labels.shape} with other values"
        )
    return labels


def _one_label(name: str, labels: np.ndarray) -> np.ndarray:
    """int64 or strings, `(n,)`."""
    is_text = [isinstance(label, str) for label in labels.tolist()]
    if all(is_text):
        return labels.astype(str)
    fits = np.zeros(len(labels), bool)
    if labels.dtype.kind in "biuf":
        fits = (labels >= 0) & (labels < 2**53) & (labels == np.floor(labels))
    if not fits.all():
        other = labels.tolist()[(fits | is_text).argmin()]
        raise ValueError(
            f"`{name}` must have labels that are integers of at least 0, or strings. "
            f"Received: labels with {other!r}"
        )
    return labels.astype(int)


def _classes(
    labels: np.ndarray, class_names: Sequence[str] | None
) -> tuple[list[str], dict[Any, int] | None]:
    """Class names and the position of each label; None for multi-hot labels."""
    if labels.ndim == 2 and (labels.sum(axis=1) == 1).all():
        raise ValueError(
            "`labels` must be class indices for one label an image; rows of 0 and 1 "
            "are for several. Received: one-hot rows. Pass labels.argmax(axis=1)."
        )
    if class_names is not None:
        names = list(class_names)
        are_numbers = np.issubdtype(labels.dtype, np.integer)
        keys = range(len(names)) if are_numbers else names
    else:
        keys = range(labels.shape[1]) if labels.ndim == 2 else np.unique(labels)
        keys = [int(key) if isinstance(key, np.integer) else str(key) for key in keys]
        names = [str(key) for key in keys]
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(
            "`labels` must be of at least two classes with names of their own. "
            f"Received: classes {names}"
        )
    check_class_names("labels" if class_names is None else "class_names", names)
    return names, None if labels.ndim == 2 else {k: i for i, k in enumerate(keys)}


def _encode(
    name: str, labels: np.ndarray, class_names: list[str], index: dict[Any, int] | None
) -> np.ndarray:
    """Labels as positions in `class_names`, or multi-hot where `index` is None."""
    if index is None:
        if labels.ndim != 2 or labels.shape[1] != len(class_names):
            raise ValueError(
                f"`{name}` must have a row of {len(class_names)} labels, one for each "
                f"class, an image. Received: labels of shape {labels.shape}"
            )
        return labels.astype("float32")
    unknown = [label for label in np.unique(labels).tolist() if label not in index]
    if labels.ndim != 1 or unknown:
        raise ValueError(
            f"`{name}` must have labels of {len(class_names)} classes: "
            f"{', '.join(class_names)}. Received: labels of shape {labels.shape} "
            f"with {unknown[:5]}"
        )
    return np.array([index[label] for label in labels.tolist()], np.int64)
