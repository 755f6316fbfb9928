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


def check_images(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return a picture or a batch of pictures as a batch, float32.

    Raises:
        ValueError: they are not of the model's size, with pixels in [0, 255], or none.
    """
    images = np.asarray(images)
    if images.ndim != 4:
        return check_image(model, images)
    if not len(images):
        raise ValueError("`image` must hold pictures. Received: an empty batch")
    return np.concatenate([check_image(model, image) for image in images])


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


def save_overlay(
    images: np.ndarray, heats: np.ndarray, path: str | Path | None
) -> None:
    """Save pictures below one another, and beside each the same under its heat.

    Args:
        images: `(n, height, width, channels)` in [0, 255], of 1 or 3 channels.
        heats: `(n, height, width)` in [0, 1].
        path: as in `plots.save_grid`.
    """
    from matplotlib import colormaps

    factor, shown = enlargement(images.shape[1:3], _MIN_SIDE), []
    for image, heat in zip(images, heats, strict=True):
        large = enlarge(as_rgb(image), factor)
        colours = 255 * colormaps["turbo"](enlarge(heat, factor))[..., :3]
        shown += [large, (1 - _OPACITY) * large + _OPACITY * colours]
    plots.save_grid(shown, path, columns=2)


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
