"""Split rows, each of a class, for training and validation, once or k times."""

from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedKFold

from kerasdl._checks import check_positive_int, first_few
from kerasdl._seeds import resolve_seed

from ._multi_hot_split import multi_hot_parts


def stratified_split(
    classes: Sequence | np.ndarray, fraction: float, *, seed: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `fraction` of each class for validation; the rest is for training.

    Each class gives the nearest whole number, but at least one to either part
    (scikit-learn's `train_test_split` can leave a small class out of one).

    Args:
        classes: class of each row, numbers or strings.
        fraction: share of the validation part, in (0, 1).
        seed: repeats the draw; None draws a fresh one and prints it.

    Returns:
        Rows of the training and of the validation part, sorted, int64.

    Raises:
        ValueError: an argument is out of range, or a class has fewer than two rows.

    Example:
        ```
        train, valid = kd.batches.stratified_split(list("aaaabbbb"), 0.25, seed=1)
        ```
    """
    classes = np.asarray(classes)
    if classes.ndim != 1 or not classes.size:
        raise ValueError(
            "`classes` must be one for each row. "
            f"Received: classes of shape {classes.shape}"
        )
    if not 0 < fraction < 1:
        raise ValueError(
            f"`fraction` must be above 0 and below 1. Received: fraction={fraction!r}"
        )
    names, counts = np.unique(classes, return_counts=True)
    if counts.min() < 2:
        small = first_few(names[counts < 2].tolist())
        raise ValueError(
            "Each class must be there at least twice, once for either part. "
            f"Received: one of {small}. Add more of it, or remove the class."
        )
    generator = np.random.default_rng(resolve_seed(seed))
    valid = np.zeros(classes.size, dtype=bool)
    for name, count in zip(names, counts, strict=True):
        rows = generator.permutation(np.flatnonzero(classes == name))
        valid[rows[: np.clip(round(count * fraction), 1, count - 1)]] = True
    return np.flatnonzero(~valid), np.flatnonzero(valid)


def stratified_folds(
    classes: Sequence | np.ndarray, k: int, *, seed: int | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw k splits; each row is for validation in one of them.

    Each class is spread evenly over the folds (scikit-learn's `StratifiedKFold`);
    several classes a row by iterative stratification.

    Args:
        classes: class of each row, or multi-hot `(n, classes)`.
        k: number of folds, at least 2.
        seed: repeats the draw; None draws one and prints it.

    Returns:
        For each fold the rows of the training and of the validation part, sorted,
        int64.

    Raises:
        ValueError: `k` is below 2, or a class has fewer than k rows.
    """
    check_positive_int("k", k)
    classes = np.asarray(classes)
    if classes.ndim == 1:
        names, counts = np.unique(classes, return_counts=True)
    else:
        names, counts = np.arange(classes.shape[1]), (classes > 0).sum(axis=0)
    if k < 2 or counts.min() < k:
        raise ValueError(
            "`k` must be at least 2, and at most how often each class is there. "
            f"Received: k={k} ({counts.min()} of {names[counts.argmin()].item()!r})"
        )
    seed = resolve_seed(seed)
    if classes.ndim == 1:
        folds = StratifiedKFold(k, shuffle=True, random_state=seed)
        return list(folds.split(classes, classes))
    parts = multi_hot_parts(classes, [1 / k] * k, seed)
    return [
        (np.flatnonzero(parts != fold), np.flatnonzero(parts == fold))
        for fold in range(k)
    ]
