"""A closer look: the part of a photo where a network finds a class, predicted again."""

from pathlib import Path
from typing import NamedTuple

import cv2
import keras
import numpy as np

from kerasdl import plots
from kerasdl._checks import check_writable
from kerasdl._notebook import wants_picture
from kerasdl._pixels import check_pixels
from kerasdl.inside.picture import as_rgb
from kerasdl.models.picture_shape import picture_shape

from .grad_cam import heats_of
from .outputs import class_probabilities


class HeatCrop(NamedTuple):
    """A part of a photo, and what a model says of the whole and of the part.

    Attributes:
        box: (top, left, bottom, right) in pixels of the photo, the last two outside.
        image: the part at the model's size, `(height, width, channels)` float32.
        heat: of the whole photo, as `grad_cam` gives it.
        before: probabilities `(classes,)` of the whole photo.
        after: those of the part.
    """

    box: tuple[int, int, int, int]
    image: np.ndarray
    heat: np.ndarray
    before: np.ndarray
    after: np.ndarray


def crop_to_heat(
    model: keras.Model,
    image: np.ndarray,
    layer: str | None = None,
    class_index: int | None = None,
    threshold: float = 0.5,
    path: str | Path | None = None,
) -> HeatCrop:
    """Crop a photo to the box of its Grad-CAM, and predict that.

    The box holds all places of a heat of at least `threshold`. It grows to the shape of
    the model's input as far as the photo allows, so that little is distorted. A photo
    larger than that input keeps its detail in the crop.

    Args:
        model: as in `grad_cam`, with an input of a fixed size.
        image: `(height, width, channels)` in [0, 255], of any size.
        layer: as in `grad_cam`.
        class_index: the class to look for; None is the most probable one.
        threshold: share of the largest heat, above 0 and up to 1.
        path: of a PNG with the photo and the crop beside it; None shows it in a
            notebook.

    Raises:
        ValueError: an argument is not one of these, or nothing speaks for the class.
    """
    if path is not None:
        check_writable("path", path)
    if not 0 < threshold <= 1:
        raise ValueError(
            f"`threshold` must be above 0, up to 1. Received: threshold={threshold!r}"
        )
    height, width, channels = picture_shape(model)[1:]
    image = np.asarray(image)
    is_picture = image.ndim == 3 and image.shape[2] == channels
    if not is_picture or height is None or width is None:
        raise ValueError(
            "`image` must be one picture (height, width, channels) for a model of a "
            f"fixed size. Received: image of {image.shape}, input shape "
            f"{model.input_shape}"
        )
    check_pixels("image", image)
    whole = _at_size(image, (height, width))
    (heat,) = heats_of(model, whole[None], layer, class_index)
    if not heat.any():
        raise ValueError(
            "`class_index` must be a class that something in the picture speaks for. "
            f"Received: class_index={class_index!r}, for which the heat is 0"
        )
    box = _box(heat >= threshold, image.shape[:2], width / height)
    top, left, bottom, right = box
    part = _at_size(image[top:bottom, left:right], (height, width))
    outputs = np.asarray(model.predict_on_batch(np.stack([whole, part])))
    before, after = class_probabilities(outputs)
    if wants_picture(path):
        plots.save_grid([as_rgb(whole), as_rgb(part)], path)
    return HeatCrop(box, part, heat, before, after)


def _at_size(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`image` as float32, stretched to `size`."""
    image = np.ascontiguousarray(image, "float32")
    if image.shape[:2] == size:
        return image
    shrinks = image.shape[0] > size[0] and image.shape[1] > size[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, size[::-1], interpolation=how).reshape(*size, -1)


def _box(
    hot: np.ndarray, size: tuple[int, int], shape: float
) -> tuple[int, int, int, int]:
    """The box around `hot` in a photo of `size`, its width over its height `shape`."""
    starts, lengths = [], []
    for axis in (0, 1):
        places = np.flatnonzero(hot.any(axis=1 - axis))
        scale = size[axis] / hot.shape[axis]
        starts.append(places[0] * scale)
        lengths.append((places[-1] + 1 - places[0]) * scale)
    wanted = max(lengths[0], lengths[1] / shape), max(lengths[1], lengths[0] * shape)
    edges = []
    for start, length, want, side in zip(starts, lengths, wanted, size, strict=True):
        want = min(want, side)
        start = np.clip(start + length / 2 - want / 2, 0, side - want)
        edges.append((int(start), int(np.ceil(start + want))))
    (top, bottom), (left, right) = edges
    return top, left, min(bottom, size[0]), min(right, size[1])
