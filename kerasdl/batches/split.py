"""Split one set of labelled images into training and validation, once or k times."""

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedKFold

from kerasdl._checks import check_positive_int
from kerasdl._seeds import resolve_seed

from ._multi_label_split import multi_label_parts


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


def stratified_folds(
    labels: Sequence | np.ndarray, k: int, *, seed: int | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw k splits; each image is for validation in one of them.

    Each class is spread evenly over the folds (scikit-learn's `StratifiedKFold`);
    several labels an image by iterative stratification.

    Args:
        labels: one label an image, or multi-hot `(n, classes)`.
        k: number of folds, at least 2.
        seed: repeats the draw; None draws one and prints it.

    Returns:
        For each fold the positions of the training and of the validation images,
        sorted, int64.

    Raises:
        ValueError: `k` is below 2, or a class has fewer than k images.
    """
    check_positive_int("k", k)
    labels = np.asarray(labels)
    if labels.ndim == 1:
        names, counts = np.unique(labels, return_counts=True)
    else:
        names, counts = np.arange(labels.shape[1]), (labels > 0).sum(axis=0)
    if k < 2 or counts.min() < k:
        raise ValueError(
            "`k` must be at least 2, and at most the number of images of each class. "
            f"Received: k={k} ({counts.min()} of {names[counts.argmin()].item()!r})"
        )
    seed = resolve_seed(seed)
    if labels.ndim == 1:
        folds = StratifiedKFold(k, shuffle=True, random_state=seed)
        return list(folds.split(labels, labels))
    parts = multi_label_parts(labels, [1 / k] * k, seed)
    return [
        (np.flatnonzero(parts != fold), np.flatnonzero(parts == fold))
        for fold in range(k)
    ]
