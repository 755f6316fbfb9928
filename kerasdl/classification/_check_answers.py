"""Checks of what a report is made from."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasdl._pixels import check_pixels

_TRIED = 8  # images
_SUM_TOLERANCE = 0.01  # of a row; sums of bfloat16 stay within


def check_answers(
    probabilities: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    files: Sequence[str],
    images: Any,
    threshold: float | np.ndarray,
) -> None:
    """Raise ValueError unless the arguments of a report fit together."""
    count, classes = len(files), len(class_names)
    twice = [name for name, times in Counter(class_names).items() if times > 1]
    if classes < 2 or twice:
        raise ValueError(
            "`class_names` must be two or more different names. Received: "
            f"{classes} names{f', {twice[0]!r} twice' if twice else ''}"
        )
    if not count or probabilities.shape != (count, classes):
        raise ValueError(
            "`probabilities` must be (n, classes): a row for each of at least one file "
            f"and a column for each class. Received: {probabilities.shape} for {count} "
            f"files and {classes} classes. Where damaged files were left out, take "
            "files, labels and probabilities from one `predict.predict_split`."
        )
    if labels.shape not in ((count,), (count, classes)):
        raise ValueError(
            "`labels` must be (n,) class indices, or (n, classes) of 0 and 1. "
            f"Received: {labels.shape} for {count} files and {classes} classes"
        )
    if images is not None:
        _check_images(images, count)
    if not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise ValueError(
            "`probabilities` must be in [0, 1]. Received: values from "
            f"{probabilities.min()} to {probabilities.max()}. Of logits, take the "
            "softmax or the sigmoid."
        )
    sum_to_one = np.abs(probabilities.sum(axis=1) - 1) <= _SUM_TOLERANCE
    if labels.ndim == 1:
        _check_single(labels, classes, sum_to_one)
    else:
        _check_multiple(labels, threshold, sum_to_one)


def _check_images(images: Any, count: int) -> None:
    """Files are read when they are shown; of a function the first rows are tried."""
    if callable(images):
        tried = [np.asarray(images(row)) for row in range(min(count, _TRIED))]
        check_pixels("images", tried)
        return
    if len(images) != count:
        raise ValueError(
            "`images` must be None, a function of the row, or one for each file. "
            f"Received: {len(images)} for {count} files"
        )
    for image in images:
        if not isinstance(image, (str, os.PathLike)):
            raise ValueError(
                "`images` must be files, or a function of the row that returns pixels. "
                f"Received: {type(image).__name__} in place of a file. "
                "`images.__getitem__` is such a function."
            )


def _range(labels: np.ndarray) -> str:
    if labels.dtype.kind not in "biuf":
        return f"{labels.dtype}"
    return f"{labels.dtype} from {labels.min()} to {labels.max()}"


def _check_single(labels: np.ndarray, classes: int, sum_to_one: np.ndarray) -> None:
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"`labels` (n,) must be integers from 0 to {classes - 1}. Received: "
            f"{_range(labels)}"
        )
    if not sum_to_one.all():
        raise ValueError(
            "Each row of `probabilities` must sum to one with labels (n,). Received: "
            f"{np.count_nonzero(~sum_to_one)} rows that do not. Where several classes "
            "may hold at once, pass labels (n, classes)."
        )


def _check_multiple(
    labels: np.ndarray, threshold: float | np.ndarray, sum_to_one: np.ndarray
) -> None:
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"`labels` (n, classes) must be 0 and 1. Received: {_range(labels)}"
        )
    if sum_to_one.all() and np.all(labels.sum(axis=1) == 1):
        raise ValueError(
            "`labels` must be class indices (n,) where each photo has one class and "
            "probabilities sum to one. Received: one-hot labels. Pass "
            "labels.argmax(axis=1)."
        )
    fits = np.shape(threshold) in ((), (labels.shape[1],))
    if not fits or not np.all((0 <= np.array(threshold)) & (np.array(threshold) < 1)):
        raise ValueError(
            "`threshold` must be one number in [0, 1), or one for each class. "
            f"Received: threshold={threshold!r}"
        )
