"""Random views of a photo: one affine warp and one colour matrix, both drawn at once.

Presets after fast.ai's lesson 1 (`side_on`, `top_down`) and the Keras book's
computer-vision chapter (`chapter`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from kerasdl._checks import check_one_of

from ._warp import BORDERS

# Every image takes this many uniform numbers, whatever its transforms use of them:
# switching one transform on leaves the draws of the others as they were.
NUM_DRAWS = 12
# What came later draws as many numbers of its own, for the same reason.
NUM_LATER_DRAWS = NUM_DRAWS
# Luma of ITU-R BT.601, what a grayscale copy of an RGB image weighs its channels by.
LUMA = np.array([0.299, 0.587, 0.114])
# Luma and two axes of colour (NTSC's YIQ), in which a turn is a change of hue.
_YIQ = np.array(
    [LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]]
)
# Principal components of ImageNet's pixels in [0, 1], a row each, times their variance:
# Krizhevsky, Sutskever & Hinton, 2012, section 4.1; the numbers are
# those of fb.resnet.torch.
_PCA = np.array([[0.2175], [0.0188], [0.0045]]) * np.array(
    [
        [-0.5675, -0.5808, -0.5836],
        [0.7192, -0.0045, -0.6948],
        [0.4009, -0.8140, 0.4203],
    ]
)
# Beyond these a view repeats another, shows nothing of the photo, or its negative.
_HIGHEST = {
    "rotation_range": 180,
    "width_shift_range": 1,
    "height_shift_range": 1,
    "shear_range": 89,
    "brightness": 1,
    "contrast": 1,
    "saturation": 1,
    "hue": 0.5,
    "grey": 1,
    "pca": 1,
    "padding": 1,
    "erase": 1,
}


@dataclass(frozen=True)
class Augment:
    """Ranges of random transforms; the names are ImageDataGenerator's.

    Attributes:
        rotation_range: degrees, drawn in [-r, r], up to 180.
        width_shift_range: fraction of the width, drawn in [-r, r], up to 1.
        height_shift_range: fraction of the height, drawn in [-r, r], up to 1.
        shear_range: degrees, drawn in [-r, r], up to 89.
        zoom_range: (low, high) of the factor on output coordinates: below 1 shows
            less of the photo, larger.
        same_zoom: one factor for both axes; otherwise each axis draws its own.
        horizontal_flip: mirror left-right every second time.
        vertical_flip: mirror top-bottom every second time.
        transpose: swap the axes every second time (of square images): with both
            flips, all eight symmetries of the square.
        brightness: fraction of 255 to add, drawn in [-b, b], up to 1.
        contrast: factor about mid-grey, drawn in [1 - c, 1 + c], c up to 1.
        saturation: factor about the pixel's grey, drawn in [1 - s, 1 + s], s up to 1.
        hue: fraction of the circle to turn colours by, drawn in [-h, h], up to 0.5;
            greys and the luma of each pixel stay.
        grey: probability that a view is grey.
        pca: deviation of how much of each principal component of ImageNet's colours is
            added, up to 1; AlexNet takes 0.1.
        crop: share of both sides that a view shows, at a random place, in (0, 1];
            28 / 32 takes 28 of 32 pixels, unresized where `image_size` is 28. With
            `whole_pixels` it begins at a whole pixel of the photo.
        padding: share of both sides by which a crop may lie beyond the photo, up to 1;
            what is there is by `fill_mode`.
        erase: probability that a rectangle of noise covers a part of a view, of 2 to 33
            percent (random erasing).
        function: of `(image, seed)`, uint8 `(height, width, 3)` and an integer; what it
            returns, of the same shape in [0, 255], is the view. It comes last, several
            threads call it, and the seed alone may decide what it does.
        fill_mode: what lies outside the photo: "constant" (black), "nearest",
            "reflect" or "wrap"; always black where photos are resized by "pad".
        whole_pixels: shift by whole pixels, each number of them equally likely. So no
            pixels are blended, which blurs small images, and arrays that are neither
            resized nor turned nor zoomed come in several times faster.

    Raises:
        ValueError: a value outside its range.

    Reference:
        `erase`: Zhong et al., 2017, https://arxiv.org/abs/1708.04896

    Example:
        ```
        turned = kd.data.Augment(rotation_range=20, horizontal_flip=True)
        kd.ImageData.from_folder("photos", image_size=32, augment=turned, seed=1)
        ```
    """

    rotation_range: float = 0.0
    width_shift_range: float = 0.0
    height_shift_range: float = 0.0
    shear_range: float = 0.0
    zoom_range: tuple[float, float] = (1.0, 1.0)
    same_zoom: bool = True
    horizontal_flip: bool = False
    vertical_flip: bool = False
    transpose: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    fill_mode: str = "reflect"
    whole_pixels: bool = False
    hue: float = 0.0
    grey: float = 0.0
    pca: float = 0.0
    crop: float = 1.0
    padding: float = 0.0
    erase: float = 0.0
    function: Callable[[np.ndarray, int], Any] | None = None

    def __post_init__(self) -> None:
        check_one_of("fill_mode", self.fill_mode, BORDERS)
        zoom = self.zoom_range
        is_pair = isinstance(zoom, (tuple, list)) and len(zoom) == 2
        if not is_pair or not 0 < zoom[0] <= zoom[1]:
            raise ValueError(
                "`zoom_range` must be (low, high) with 0 < low <= high. "
                f"Received: zoom_range={zoom!r}"
            )
        if not 0 < self.crop <= 1:
            raise ValueError(
                f"`crop` must be above 0, up to 1. Received: crop={self.crop!r}"
            )
        if self.function is not None and not callable(self.function):
            raise ValueError(
                "`function` must be a function of (image, seed), or None. Received: "
                f"function={self.function!r}"
            )
        for name, highest in _HIGHEST.items():
            if not 0 <= getattr(self, name) <= highest:
                raise ValueError(
                    f"`{name}` must be from 0 to {highest}. "
                    f"Received: {name}={getattr(self, name)!r}"
                )

    @property
    def draws_later(self) -> bool:
        """Whether `NUM_LATER_DRAWS` numbers more are needed for each image."""
        return bool(self.hue or self.grey or self.pca or self.erase or self.function)

    def transforms(self, draws: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
        """Affine matrices of `draws` in pixels of an `image_size` view.

        Args:
            draws: `(n, NUM_DRAWS)` uniform numbers in [0, 1).
            image_size: `(height, width)`.

        Returns:
            `(n, 3, 3)`, from an output pixel to a pixel of the plain view.

        Raises:
            ValueError: `transpose` with an `image_size` that is not square.
        """
        height, width = image_size
        if self.transpose and height != width:
            raise ValueError(
                "`image_size` must be square for an augmentation that transposes. "
                f"Received: image_size={image_size}"
            )
        signed = 2 * draws - 1
        angle = np.radians(self.rotation_range * signed[:, 0])
        shear = np.radians(self.shear_range * signed[:, 1])
        low, high = self.zoom_range
        zoom_x = low + (high - low) * draws[:, 4]
        zoom_y = zoom_x if self.same_zoom else low + (high - low) * draws[:, 5]
        mirror_x = np.where(self.horizontal_flip & (draws[:, 6] < 0.5), -1.0, 1.0)
        mirror_y = np.where(self.vertical_flip & (draws[:, 7] < 0.5), -1.0, 1.0)
        swap = self.transpose & (draws[:, 8] < 0.5)

        # ImageDataGenerator's product: from the output, zoom and mirror come first.
        rotation = _stack_2x2(
            np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        )
        shearing = _stack_2x2(1.0, -np.sin(shear), 0.0, np.cos(shear))
        scaling = self.crop * _stack_2x2(zoom_x * mirror_x, 0.0, 0.0, zoom_y * mirror_y)
        linear = rotation @ shearing @ scaling
        linear[swap] = linear[swap][:, :, ::-1]

        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        reach = np.array(
            [self.width_shift_range * width, self.height_shift_range * height]
        )
        shift = signed[:, 2:4] * reach
        if self.whole_pixels:
            reach = np.floor(reach)
            shift = np.floor(draws[:, 2:4] * (2 * reach + 1)) - reach
        if self.crop < 1 or self.padding:
            shift = shift + self._crop_places(draws[:, 2:4], (width, height))
        shift = (rotation @ shift[:, :, None])[:, :, 0]
        matrices = np.zeros((len(draws), 3, 3))
        matrices[:, :2, :2] = linear
        matrices[:, :2, 2] = centre + shift - linear @ centre
        matrices[:, 2, 2] = 1
        return matrices

    def _crop_places(self, draws: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
        """How far the middle of a crop lies from the photo's, `(n, 2)` in x and y."""
        spare = 1 - self.crop + 2 * self.padding
        rest = spare * np.array(sides)  # in pixels of the view
        if not self.whole_pixels:
            return (draws - 0.5) * rest
        # A pixel of the photo is `crop` of those of the view: so many places more.
        places = np.rint(rest / self.crop)
        return (np.floor(draws * (places + 1)) - places / 2) * self.crop

    def colours(
        self, draws: np.ndarray, later: np.ndarray | None = None
    ) -> np.ndarray | None:
        """Colour matrices `(n, 3, 4)` of `draws`; None if colours stay as they are.

        Args:
            draws: `(n, NUM_DRAWS)` uniform numbers in [0, 1).
            later: `(n, NUM_LATER_DRAWS)` more of them, if `draws_later`.
        """
        by_later = self.hue or self.grey or self.pca
        if not (self.brightness or self.contrast or self.saturation or by_later):
            return None
        signed = 2 * draws - 1
        contrast = 1 + self.contrast * signed[:, 10]
        saturation = (1 + self.saturation * signed[:, 11])[:, None, None]
        matrices = np.empty((len(draws), 3, 4))
        matrices[:, :, :3] = contrast[:, None, None] * (
            saturation * np.eye(3) + (1 - saturation) * LUMA
        )
        added = 255 * self.brightness * signed[:, 9] + 127.5 * (1 - contrast)
        matrices[:, :, 3] = added[:, None]
        if by_later:
            if later is None:
                raise ValueError(
                    "`later` must be given for `hue`, `grey` and `pca`. Received: "
                    "later=None"
                )
            self._colour_later(matrices, later)
        return matrices

    def _colour_later(self, matrices: np.ndarray, later: np.ndarray) -> None:
        """Turn the hue and take the colour before `matrices`, add components after."""
        angle = 2 * np.pi * self.hue * (2 * later[:, 0] - 1)
        turn = np.zeros((len(later), 3, 3))
        turn[:, 0, 0] = 1
        turn[:, 1:, 1:] = _stack_2x2(
            np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        )
        before = np.linalg.inv(_YIQ) @ turn @ _YIQ
        before[later[:, 1] < self.grey] = LUMA
        matrices[:, :, :3] = matrices[:, :, :3] @ before
        # Uniform numbers as normal ones; 0 would be none.
        parts = self.pca * ndtri(np.maximum(later[:, 2:5], 1e-9))
        matrices[:, :, 3] += 255 * parts @ _PCA


def apply_colour(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Apply a 3x4 colour matrix to a uint8 RGB image, in place; clips to [0, 255]."""
    return cv2.transform(image, matrix, dst=image)


def side_on(max_zoom: float = 1.1) -> Augment:
    """Photos taken from the side: mirror, turn by up to 10 degrees, zoom in, light.

    Reference: fast.ai, lesson 1 (`transforms_side_on`, `max_zoom=1.1`).

    Example:
        ```
        augment = kd.data.side_on(max_zoom=1.2)
        kd.ImageData.from_folder("photos", image_size=32, augment=augment, seed=1)
        ```
    """
    return Augment(
        rotation_range=10,
        zoom_range=(1 / _check_max_zoom(max_zoom), 1.0),
        horizontal_flip=True,
        brightness=0.05,
        contrast=0.1,
        saturation=0.1,
    )


def top_down(max_zoom: float = 1.1) -> Augment:
    """Photos taken from above: the eight symmetries of the square, turns, zoom, light.

    Reference: fast.ai, lesson 3 (`transforms_top_down`).

    Example:
        ```
        views = kd.data.top_down()
        ```
    """
    return Augment(
        rotation_range=10,
        zoom_range=(1 / _check_max_zoom(max_zoom), 1.0),
        horizontal_flip=True,
        vertical_flip=True,
        transpose=True,
        brightness=0.05,
        contrast=0.1,
        saturation=0.1,
    )


def chapter() -> Augment:
    """The augmentation of the Keras book's cats and dogs, bilinear, edges repeated."""
    return Augment(
        rotation_range=40,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=0.2,
        zoom_range=(0.8, 1.2),
        same_zoom=False,
        horizontal_flip=True,
        fill_mode="nearest",
    )


def _stack_2x2(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike) -> np.ndarray:
    """Matrices [[a, b], [c, d]] of numbers or `(n,)` arrays: `(n, 2, 2)`."""
    a, b, c, d = np.broadcast_arrays(a, b, c, d)
    return np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], -2).astype(float)


def _check_max_zoom(max_zoom: float) -> float:
    if not (math.isfinite(max_zoom) and max_zoom >= 1):
        raise ValueError(
            f"`max_zoom` must be at least 1. Received: max_zoom={max_zoom!r}"
        )
    return max_zoom


PRESETS: Mapping[str, Augment | None] = MappingProxyType(
    {
        "none": None,
        "side_on": side_on(),
        "top_down": top_down(),
        "chapter": chapter(),
    }
)
