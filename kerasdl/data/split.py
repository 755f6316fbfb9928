"""Split one set of labelled images into training and validation."""

from collections.abc import Sequence

import numpy as np

from kerasdl._seeds import resolve_seed


def stratified_split(
    labels: Sequence | np.ndarray, fraction: float, *, seed: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `fraction` of each class for validation; the rest is for training.

    Each class gives the nearest whole number, but at least one to either part
    (scikit-learn's `train_test_split` can leave a small class out of one).

    Args:
        labels: one label an image, numbers or strings.
        fraction: share of the validation part, in (0, 1).
        seed: repeats the draw; None draws a fresh one and prints it.

    Returns:
        Positions of the training and of the validation images, sorted, int64.

    Raises:
        ValueError: an argument is out of range, or a class has fewer than two images.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not labels.size:
        raise ValueError(
            "`labels` must be one label an image. "
            f"Received: labels of shape {labels.shape}"
        )
    if not 0 < fraction < 1:
        raise ValueError(
            f"`fraction` must be above 0 and below 1. Received: fraction={fraction!r}"
        )
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        small = ", ".join(repr(label) for label in classes[counts < 2].tolist())
        raise ValueError(
            "`labels` must hold each class at least twice, once for either part. "
            f"Received: one image of {small}. Add images or remove the class."
        )
    generator = np.random.default_rng(resolve_seed(seed))
    valid = np.zeros(labels.size, dtype=bool)
    for label, count in zip(classes, counts, strict=True):
        rows = generator.permutation(np.flatnonzero(labels == label))
        valid[rows[: np.clip(round(count * fraction), 1, count - 1)]] = True
    return np.flatnonzero(~valid), np.flatnonzero(valid)
