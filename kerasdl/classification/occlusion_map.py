"""Occlusion: how much of a class's probability hangs on each part of a picture."""

from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import keras
import numpy as np

from kerasdl._checks import check_one_of, check_positive_int, check_writable
from kerasdl._notebook import wants_picture
from kerasdl._progress import show_progress
from kerasdl.inside.picture import check_image, save_overlay

from .outputs import (
    check_numbers,
    class_probabilities,
    resolve_class,
)

_GREY = 127.5
_BATCH_SIZE = 32


def occlusion_map(
    model: keras.Model,
    image: np.ndarray,
    class_index: int | None = None,
    patch: int | None = None,
    stride: int | None = None,
    path: str | Path | None = None,
    *,
    verbose: int = 1,
) -> np.ndarray:
    """Slide a grey square over a picture and measure the drop of a class's probability.

    Squares lie `stride` apart and, in the last row and column, at the edge. A pixel's
    value is the mean drop of the squares that cover it.

    Args:
        model: takes pixels `(batch, height, width, channels)` and returns probabilities
            `(batch, classes)`, or that of the second of two classes alone.
        image: `(height, width, channels)` in [0, 255], of the model's size.
        class_index: the class to look for; None is the most probable one.
        patch: side of the square in pixels; None is a fifth of the smaller side.
        stride: pixels from one square to the next, at most `patch`; None is a quarter
            of `patch`.
        path: of a PNG with the picture and, beside it, the drops over it, the largest
            in the last colour; None shows it in a notebook.
        verbose: 1 shows a progress bar, or ten lines where stderr is not a terminal;
            0 shows nothing.

    Returns:
        Drops `(height, width)`, float32 in [-1, 1]: negative where the class is more
        probable without what is seen there.

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        https://arxiv.org/abs/1311.2901, section 4.2

    Example:
        ```
        kd.interpret.occlusion_map(model, photo, patch=16, path="hidden.png")
        ```
    """
    check_one_of("verbose", verbose, (0, 1))
    if path is not None:
        check_writable("path", path)
    pixels = check_image(model, image)
    height, width = pixels.shape[1:3]
    patch = max(int(min(height, width)) // 5, 1) if patch is None else patch
    stride = max(patch // 4, 1) if stride is None else stride
    for name, value, highest in (
        ("patch", patch, min(height, width)),
        ("stride", stride, patch),
    ):
        check_positive_int(name, value)
        if value > highest:
            raise ValueError(
                f"`{name}` must be at most {highest}. Received: {name}={value}"
            )
    class_index = resolve_class(model, pixels, class_index)
    whole = _probabilities(model, pixels, class_index)[0]

    corners = product(_starts(height, patch, stride), _starts(width, patch, stride))
    corners = list(corners)
    batches = _batches(corners)
    if verbose:
        total = len(corners)
        batches = show_progress(batches, total, "occlusions", step=_BATCH_SIZE)
    drops = np.zeros((height, width), "float32")
    covered = np.zeros((height, width), "float32")
    for batch in batches:
        occluded = pixels.repeat(len(batch), axis=0)
        for picture, (y, x) in zip(occluded, batch, strict=True):
            picture[y : y + patch, x : x + patch] = _GREY
        found = _probabilities(model, occluded, class_index)
        for drop, (y, x) in zip(whole - found, batch, strict=True):
            drops[y : y + patch, x : x + patch] += drop
            covered[y : y + patch, x : x + patch] += 1
    drops /= covered
    if wants_picture(path):
        heat = np.maximum(drops, 0)
        save_overlay(pixels, heat[None] / (heat.max() or 1), path)
    return drops


def _starts(side: int, patch: int, stride: int) -> list[int]:
    """First pixels of the squares along a side, the last one at its edge."""
    last = side - patch
    return [*range(0, last, stride), last]


def _batches(corners: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    remaining = iter(corners)
    while batch := list(islice(remaining, _BATCH_SIZE)):
        yield batch


def _probabilities(
    model: keras.Model, pixels: np.ndarray, class_index: int
) -> np.ndarray:
    outputs = np.asarray(model.predict_on_batch(pixels))
    check_numbers(outputs, ["image"] * len(outputs))
    return class_probabilities(outputs)[:, class_index]
