"""A picture for a model to look at, and heat laid over it."""

from pathlib import Path

import cv2
import keras
import numpy as np

from kerasdl import plots
from kerasdl._pixels import check_pixels
from kerasdl.models.picture_shape import picture_shape

_OPACITY = 0.5
_MIN_SIDE = 224  # of a saved picture, in pixels


def check_image(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Return `image` as a batch of one, float32.

    Raises:
        ValueError: it is no picture of the model's size with pixels in [0, 255].
    """
    image, shape = np.asarray(image), picture_shape(model)
    fits = image.ndim == 3 and all(
        wanted in (None, side)
        for wanted, side in zip(shape[1:], image.shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"`image` must be one picture of the model's input {shape[1:]}. Received: "
            f"image of {image.shape}"
        )
    check_pixels("image", image)
    return image[None].astype("float32")


def save_overlay(image: np.ndarray, heat: np.ndarray, path: str | Path) -> None:
    """Save a picture, and beside it the same under `heat`.

    Args:
        image: `(height, width, channels)` in [0, 255], of 1 or 3 channels.
        heat: `(height, width)` in [0, 1].
        path: the PNG to write.
    """
    from matplotlib import colormaps

    factor = enlargement(image.shape[:2], _MIN_SIDE)
    image, heat = enlarge(as_rgb(image), factor), enlarge(heat, factor)
    colours = 255 * colormaps["turbo"](heat)[..., :3]
    plots.save_grid([image, (1 - _OPACITY) * image + _OPACITY * colours], path)


def as_rgb(image: np.ndarray) -> np.ndarray:
    """`(height, width, 3)` of a picture of 1 or 3 channels."""
    return np.broadcast_to(image, (*image.shape[:2], 3))


def enlargement(size: tuple[int, int], min_side: int) -> int:
    """Factor that brings the smaller side to about `min_side`, never below 1."""
    return max(round(min_side / min(size)), 1)


def enlarge(image: np.ndarray, factor: int) -> np.ndarray:
    """Repeat each pixel `factor` times along height and width."""
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def stretch(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring `(height, width)` values to `size` by bilinear interpolation."""
    return cv2.resize(values, size[::-1], interpolation=cv2.INTER_LINEAR)
