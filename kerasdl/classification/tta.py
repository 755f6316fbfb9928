"""Test-time augmentation: the mean of what a model says of several views of a photo."""

from collections.abc import Iterator
from functools import partial
from itertools import islice, product

import keras
import numpy as np
import tensorflow as tf

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._parallel import map_ahead
from kerasdl._progress import show_progress
from kerasdl._seeds import resolve_seed
from kerasdl.data import DatasetPhotos, ImageData, PhotoBatches
from kerasdl.data.augment import PRESETS, Augment

from ._views import VIEWS, ViewSet, check_views
from .outputs import check_outputs
from .predict_split import SplitPredictions, of_rows
from .split_photos import SplitPhotos, photos_for, photos_in_order, read_rows

View = tuple[int, np.ndarray, np.ndarray]  # its number, rows of the photos, pixels


def tta(
    model: keras.Model,
    data: ImageData | DatasetPhotos | tf.data.Dataset,
    n_aug: int = 4,
    augment: str | Augment | None = None,
    split: str = "valid",
    beta: float | None = None,
    *,
    verbose: int = 1,
    seed: int | None = None,
) -> SplitPredictions:
    """Average a model's probabilities over several views of each photo.

    The views are the plain one and `n_aug` random augmentations, whose draws are
    functions of (`seed`, view, position of the file), or a fixed set of views of the
    photo at the model's size, the same as in `tta_model`: "flip" (plain and mirrored),
    "dihedral" (the eight symmetries of the square) or "five_crop" (the corners and the
    centre, 7/8 of each side, enlarged to the whole size).

    Args:
        model: takes pixels `(batch, height, width, 3)` in [0, 255] and returns
            probabilities `(batch, classes)`, or that of the second of two alone.
        data: the photos; each batch has `data.batch_size` of them. A dataset is taken
            as by `predict_split`; it needs `augment`.
        n_aug: number of random augmentations; a fixed set has its own number.
        augment: a fixed set by name, or an augmentation as in `image_folder`; None is
            the training's, `data.augment`.
        split: "train", "valid" or "test".
        beta: weight of the plain view in [0, 1]: `beta * plain + (1 - beta) *
            mean(others)`; None takes the mean of all views, which are without the plain
            one for "five_crop".
        verbose: 1 shows a progress bar, or ten lines where stderr is not a terminal;
            0 shows nothing.
        seed: of random augmentations; None draws one and prints it.

    Raises:
        ImageError: a damaged file with `data.on_error="raise"`; with "skip" it is named
            and left out.
        ValueError: an argument outside its range, nothing to augment with, or a model
            with another number of outputs than classes, or of answers that are no
            numbers.

    Reference:
        https://arxiv.org/abs/1409.1556, section 3.2; fast.ai, lesson 1 (`TTA`)

    Example:
        ```
        kd.predict.tta(model, data, n_aug=2, augment="chapter", seed=1).accuracy
        ```
    """
    check_one_of("verbose", verbose, (0, 1))
    data = photos_for(model, data)
    check_outputs(model, data.class_names)
    augment = check_tta(data, n_aug, augment, split, beta)
    plain = photos_in_order(data, split, None, 0)
    if isinstance(augment, str) and augment in VIEWS:
        views = _fixed_views(plain, VIEWS[augment])
        weights = _weights(VIEWS[augment].others, VIEWS[augment].has_plain, beta)
    else:
        augmented = photos_in_order(data, split, augment, resolve_seed(seed))
        augmented.damaged = plain.damaged  # each file is named once
        views = _random_views(plain, augmented, n_aug)
        weights = _weights(n_aug, True, beta)

    count = len(data.files(split))
    sums = np.zeros((count, model.output_shape[-1]))
    seen = np.zeros(count, int)
    batches = range(plain.stream.num_batches)
    if verbose:
        label = f"{np.count_nonzero(weights)} views of {split}"
        batches = show_progress(batches, count, label, step=data.batch_size)
    for _ in batches:
        for view, rows, images in islice(views, len(weights)):
            if weights[view] and len(rows):
                sums[rows] += weights[view] * model.predict_on_batch(images)
                seen[rows] += 1
    kept = np.flatnonzero(seen == np.count_nonzero(weights))
    return of_rows(data, split, kept, sums)


def check_tta(
    data: SplitPhotos,
    n_aug: int,
    augment: str | Augment | None,
    split: str,
    beta: float | None,
) -> str | Augment:
    """Return what `tta` augments with; raise ValueError for what it would refuse."""
    check_positive_int("n_aug", n_aug)
    if beta is not None and not 0 <= beta <= 1:
        raise ValueError(f"`beta` must be None or in [0, 1]. Received: beta={beta!r}")
    received = augment
    if augment is None:
        augment = data.augment
    if augment is None or augment == "none":
        raise ValueError(
            "`augment` must be given for data that is not augmented in training. "
            f"Received: augment={received!r}, data.augment={data.augment!r}. Name a "
            f"set of views ({', '.join(VIEWS)}) or an augmentation such as 'side_on'."
        )
    if isinstance(augment, str):
        check_one_of("augment", augment, [*VIEWS, *PRESETS, "rand_augment"])
        if augment in VIEWS:
            check_views("augment", augment, data.image_size)
            return augment
    photos_in_order(data, split, augment, 0)
    return augment


def _weights(others: int, has_plain: bool, beta: float | None) -> list[float]:
    """Weights of the plain view and of `others` besides; their sum is 1."""
    if beta is not None:
        return [beta] + [(1 - beta) / others] * others
    return [has_plain / (others + has_plain)] + [1 / (others + has_plain)] * others


def _random_views(
    plain: PhotoBatches, augmented: PhotoBatches, n_aug: int
) -> Iterator[View]:
    """For each batch the plain view, number 0, and those that are drawn."""

    def read(key: tuple[int, int]) -> View:
        index, view = key
        return view, *read_rows(augmented if view else plain, view, index)

    batches = range(plain.stream.num_batches)
    yield from map_ahead(read, product(batches, range(n_aug + 1)))


def _fixed_views(plain: PhotoBatches, views: ViewSet) -> Iterator[View]:
    """For each batch the plain view, number 0, and the others of `views`."""
    batches = range(plain.stream.num_batches)
    for rows, images in map_ahead(partial(read_rows, plain, 0), batches):
        others = views.make(images)[views.has_plain :]
        for view, seen in enumerate([images, *others]):
            yield view, rows, seen
