"""Photos on which the ranges of an int8 file are found."""

import numpy as np

from kerasdl._checks import check_positive_int
from kerasdl._seeds import resolve_seed
from kerasdl.data import ImageData, PhotoBatches


def calibration_photos(
    data: ImageData, split: str = "train", count: int = 128, *, seed: int | None = None
) -> np.ndarray:
    """Draw photos of a split, of each class as many as of the others, or one more.

    A file that never saw a class cuts off what its photos would answer: of more than
    `count` classes, one of each is drawn.

    Args:
        data: the photos; those with several labels are drawn without regard to them.
        split: "train", "valid" or "test".
        count: photos in all; fewer where a class has too few, or files are damaged.
        seed: of the draw; None draws one and prints it.

    Returns:
        Pixels `(count, height, width, 3)`, uint8, in the geometry of `data`, without
        augmentation.

    Raises:
        ImageError: a damaged file with `data.on_error="raise"`; with "skip" it is named
            and left out.
        ValueError: an argument outside its range, or a split without labels.
    """
    check_positive_int("count", count)
    count = max(count, len(data.class_names))
    rng = np.random.default_rng(resolve_seed(seed))
    labels = data.labels(split)
    order = rng.permutation(len(labels))
    if labels.ndim == 1:
        # By its place within its class: all first photos, then all second ones ...
        places = np.empty(len(labels), int)
        for label in np.unique(labels):
            own = order[labels[order] == label]
            places[own] = np.arange(len(own))
        order = order[np.argsort(places[order], kind="stable")]
    pictures = data.pictures(split)
    photos = PhotoBatches(
        [pictures[row] for row in order[:count]],
        None,
        data.image_size,
        count,
        data.resize,
        on_error=data.on_error,
        max_pixels=data.max_pixels,
    )
    (pixels,) = photos.batch(0, 0)
    return pixels
