"""The mean of what several models, or one with several weights, say of a split."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._checks import check_one_of
from kerasdl.data import DatasetPhotos, ImageData
from kerasdl.models import restore_weights

from .outputs import check_outputs
from .predict_split import SplitPredictions, predict_split
from .split_photos import SplitPhotos, photos_for


def ensemble(
    model: keras.Model,
    members: Sequence[str | Path | keras.Model],
    data: ImageData | DatasetPhotos | tf.data.Dataset,
    split: str = "valid",
    *,
    verbose: int = 1,
) -> SplitPredictions:
    """Average the probabilities of several members over the plain photos of a split.

    Args:
        model: what weights files are loaded into; it gets its own weights back.
        members: `.weights.h5` files of `model`, such as `CycleSnapshots.files`, or
            models, as `predict_split` takes them; each weighs the same.
        data: the photos; a dataset is taken as by `predict_split`.
        split: "train", "valid" or "test".
        verbose: as in `predict_split`, for each member.

    Raises:
        ImageError: as in `predict_split`.
        ValueError: no members, a file that is not there or of another network, or what
            `predict_split` refuses.

    Reference:
        Huang et al., 2017, https://arxiv.org/abs/1704.00109, for the snapshots of one
        training.

    Example:
        ```
        kd.predict.ensemble(model, [model, model], data).accuracy
        ```
    """
    check_one_of("verbose", verbose, (0, 1))
    if not members:
        raise ValueError("`members` must hold weights files or models. Received: none")
    data = photos_for(model, data)
    for member in members:
        is_model = isinstance(member, keras.Model)
        if not is_model and not Path(member).is_file():
            raise ValueError(
                f"`members` must hold files that are there. Received: {str(member)!r}"
            )
        check_outputs(member if is_model else model, data.class_names)
    found = [_predict(model, member, data, split, verbose) for member in members]
    mean = np.mean([one.probabilities for one in found], axis=0, dtype="float64")
    return SplitPredictions(found[0].files, found[0].labels, mean.astype("float32"))


def _predict(
    model: keras.Model,
    member: str | Path | keras.Model,
    data: SplitPhotos,
    split: str,
    verbose: int,
) -> SplitPredictions:
    if isinstance(member, keras.Model):
        return predict_split(member, data, split, verbose=verbose)
    own = [(variable, variable.numpy()) for variable in model.variables]
    try:
        restore_weights(model, member)
        return predict_split(model, data, split, verbose=verbose)
    finally:
        for variable, value in own:
            variable.assign(value)
