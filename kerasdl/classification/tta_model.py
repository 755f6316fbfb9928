"""Test-time augmentation as one model that can be saved and exported."""

import keras
from keras import ops

from kerasdl.models.picture_shape import picture_shape

from ._views import VIEWS, check_views
from .outputs import num_outputs


def tta_model(model: keras.Model, views: str = "flip") -> keras.Model:
    """Build a model that averages what `model` says of several views of a picture.

    Input and output are those of `model`. All views of a batch go through `model` at
    once, so a file of it is hardly larger, and the work and memory of a batch are those
    of 2, 8 or 5 times as many pictures. It shares the weights of `model`, holds only
    Keras's own layers and operations besides, and gives what `tta` gives for the same
    views.

    Args:
        model: takes pixels `(batch, height, width, channels)` and returns
            probabilities `(batch, classes)`.
        views: "flip" (plain and mirrored), "dihedral" (the eight symmetries of the
            square) or "five_crop" (the corners and the centre, 7/8 of each side,
            enlarged to the whole size by bilinear interpolation).

    Returns:
        A model that is not compiled, named `<model>_<views>`.

    Raises:
        ValueError: `model` is not such a model, or its pictures have no such views.

    Example:
        ```
        both_views = kd.predict.tta_model(model, "flip")
        ```
    """
    taken, classes = picture_shape(model), num_outputs(model)
    check_views("views", views, taken[1:3])
    pixels = keras.Input(taken[1:], name="pixels")
    seen = VIEWS[views].make(pixels)
    outputs = model(ops.concatenate(seen, axis=0))
    outputs = ops.reshape(outputs, (len(seen), -1, classes))
    mean = ops.mean(outputs, axis=0)
    return keras.Model(pixels, mean, name=f"{model.name}_{views}")
