"""The transforms of Keras's legacy ImageDataGenerator, on arrays and on photos.

The parameters are those of `get_random_transform`: `theta` and `shear` in degrees, `tx`
and `ty` in pixels, `zx` and `zy` as factors on output coordinates.
"""

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from scipy import ndimage

from .._warp import BORDERS, averaged, placement, sampled

# Sampling kernels by the names of `interpolation`, the finer the larger.
SAMPLING = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
_PLAIN = {"theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1}


def affine_matrix(transform: Mapping[str, Any], size: tuple[int, int]) -> np.ndarray:
    """3x3 matrix of rotation, shift, shear and zoom, without the flips.

    It maps (x, y, 1) of an output pixel to an input pixel. As in the legacy class
    `tx` moves along the width, and the centre of an image that is not square is
    taken with height and width exchanged.

    Args:
        transform: a parameter that is left out changes nothing.
        size: `(height, width)` of input and output.
    """
    given = {**_PLAIN, **transform}
    theta, tx, ty, zx, zy = (given[name] for name in ("theta", "tx", "ty", "zx", "zy"))
    theta, both = math.radians(theta), math.radians(theta + given["shear"])
    cos, sin = math.cos(theta), math.sin(theta)
    # Rotation, shift, shear and zoom multiplied out: this runs for every photo.
    xx, xy = cos * zx, -math.sin(both) * zy
    yx, yy = sin * zx, math.cos(both) * zy
    x, y = size[0] / 2 - 0.5, size[1] / 2 - 0.5
    return np.array(
        [
            [xx, xy, x + cos * tx - sin * ty - xx * x - xy * y],
            [yx, yy, y + sin * tx + cos * ty - yx * x - yy * y],
            [0, 0, 1],
        ]
    )


def warp_array(
    image: np.ndarray,
    transform: Mapping[str, Any],
    fill_mode: str,
    cval: float,
    order: int,
) -> np.ndarray:
    """Apply rotation, shift, shear, zoom and flips to an image, in its own size.

    By OpenCV where it agrees with SciPy, which the legacy class calls: bilinear, for
    float32 of 1, 3 or 4 channels. Other images it samples at positions rounded to
    1/32 pixel, "constant" and "wrap" differ at the edges, and order 0 where two
    pixels are equally near.

    Args:
        image: `(height, width, channels)`.
        transform: parameters, see `affine_matrix`, and the flips.
        fill_mode: one of `BORDERS`.
        cval: what "constant" fills with.
        order: of the spline, 0 to 5.
    """
    if any(transform.get(name, plain) != plain for name, plain in _PLAIN.items()):
        size = image.shape[:2]
        matrix = affine_matrix(transform, size)
        exact = image.dtype == np.float32 and image.shape[2] in (1, 3, 4)
        if exact and order == 1 and fill_mode in ("nearest", "reflect"):
            image = sampled(image, matrix, size, cv2.INTER_LINEAR, BORDERS[fill_mode])
        else:
            image = _warp_by_scipy(image, matrix, fill_mode, cval, order)
    if transform.get("flip_horizontal"):
        image = image[:, ::-1]
    if transform.get("flip_vertical"):
        image = image[::-1]
    return image


def warp_photo(
    photo: np.ndarray,
    size: tuple[int, int],
    transform: Mapping[str, Any],
    fill_mode: str,
    cval: float,
    sampling: int,
) -> np.ndarray:
    """Stretch a photo to `size` and apply `warp_array`'s transform, in one sampling.

    Args:
        photo: `(height, width, channels)`, uint8.
        size: `(height, width)` of the result.
        transform: parameters in pixels of the result.
        fill_mode: one of `BORDERS`.
        cval: what "constant" fills with.
        sampling: one of `SAMPLING`; all but the nearest pixel first average what
            is at least halved.

    Returns:
        `(*size, channels)`, float32 for "constant", else uint8.
    """
    if sampling != cv2.INTER_NEAREST:
        photo = averaged(photo, size, "squash")
    if fill_mode == "constant":
        photo = photo.astype(np.float32)  # `cval` may be any number
    matrix = placement(photo.shape[:2], size, "squash") @ affine_matrix(transform, size)
    if transform.get("flip_horizontal"):
        matrix = matrix @ [[-1, 0, size[1] - 1], [0, 1, 0], [0, 0, 1]]
    if transform.get("flip_vertical"):
        matrix = matrix @ [[1, 0, 0], [0, -1, size[0] - 1], [0, 0, 1]]
    return sampled(
        photo, matrix, size, kernel=sampling, border=BORDERS[fill_mode], fill=cval
    )


def shift_channels(image: np.ndarray, intensity: float) -> np.ndarray:
    """Add `intensity` to every value; none leaves the range that `image` had."""
    return np.clip(image + intensity, image.min(), image.max())


def change_brightness(image: np.ndarray, brightness: float) -> np.ndarray:
    """Multiply whole-number pixels by `brightness`, as Pillow does; alpha stays.

    An image with values outside [0, 255] is stretched over that range for it, and
    brought back afterwards.
    """
    low, high = image.min(), image.max()
    stretch = low < 0 or high > 255
    if stretch:
        image = image - low
        image = image / (image.max() or 1) * 255
    pixels = image.astype(np.uint8)
    brighter = np.clip(pixels * np.float32(brightness), 0, 255).astype(np.uint8)
    if image.shape[2] == 4:
        brighter[..., 3] = pixels[..., 3]
    result = brighter.astype(image.dtype)
    return result / 255 * (high - low) + low if stretch else result


def _translation(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])


def _warp_by_scipy(
    image: np.ndarray, matrix: np.ndarray, fill_mode: str, cval: float, order: int
) -> np.ndarray:
    by_rows = matrix[[1, 0]]  # SciPy's coordinates are (row, column)
    channels = [
        ndimage.affine_transform(
            channel,
            by_rows[:, [1, 0]],
            by_rows[:, 2],
            order=order,
            mode=fill_mode,
            cval=cval,
        )
        for channel in np.moveaxis(image, 2, 0)
    ]
    return np.stack(channels, axis=2)
