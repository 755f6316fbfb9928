"""Draw, apply and normalize: what ImageDataGenerator does to single images."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._seeds import resolve_seed

from .._warp import BORDERS
from ._legacy_warp import change_brightness, shift_channels, warp_array
from ._statistics import center, divide_by_deviation, whitening_matrix

DTYPES = ("float32", "float64")


class _Draws(threading.local):
    """A random state for each thread: seeding it takes a tenth of making one."""

    def __init__(self) -> None:
        self.rng = np.random.RandomState()


_DRAWS = _Draws()


class ImageTransforms:
    """The part of `ImageDataGenerator`, which has the documentation, without flows."""

    row_axis, col_axis, channel_axis = 1, 2, 3  # of a batch

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: float | Sequence[float] = 0.0,
        height_shift_range: float | Sequence[float] = 0.0,
        brightness_range: tuple[float, float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | tuple[float, float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: str | None = None,
    ) -> None:
        data_format = data_format or keras.config.image_data_format()
        dtype = dtype or keras.config.floatx()
        check_one_of("data_format", data_format, ["channels_last"])
        check_one_of("dtype", dtype, DTYPES)
        check_one_of("fill_mode", fill_mode, BORDERS)
        check_one_of("interpolation_order", interpolation_order, range(6))
        if not 0 <= (validation_split or 0) < 1:
            raise ValueError(
                "`validation_split` must be at least 0 and below 1. Received: "
                f"validation_split={validation_split!r}"
            )
        if zca_whitening and featurewise_std_normalization:
            raise ValueError(
                "`featurewise_std_normalization` must be False beside `zca_whitening`. "
                "Received: featurewise_std_normalization=True, zca_whitening=True"
            )
        if isinstance(zoom_range, (int, float)):
            zoom_range = (1 - zoom_range, 1 + zoom_range)
        _check_pair("zoom_range", zoom_range)
        if brightness_range is not None:
            _check_pair("brightness_range", brightness_range)
        self.featurewise_center = (
            featurewise_center or featurewise_std_normalization or zca_whitening
        )
        self.samplewise_center = samplewise_center or samplewise_std_normalization
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = brightness_range
        self.shear_range = shear_range
        self.zoom_range = list(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.data_format = data_format
        self.validation_split = validation_split or 0
        self.interpolation_order = interpolation_order
        self.dtype = dtype
        self.mean = None
        self.std = None
        self.zca_whitening_matrix = None

    @property
    def raw_pixels(self) -> bool:
        """Whether nothing takes pixels out of [0, 255]."""
        return not (
            self.rescale
            or self.preprocessing_function
            or self.featurewise_center
            or self.samplewise_center
        )

    def fit(
        self,
        x: Any,
        augment: bool = False,
        rounds: int = 1,
        seed: int | None = None,
    ) -> None:
        """Measure what `featurewise_*` and `zca_whitening` need.

        Args:
            x: images `(n, height, width, channels)`; `rescale` is applied to a copy.
            augment: measure on randomly transformed images.
            rounds: passes over `x` if so.
            seed: of these transforms; None draws one and prints it.

        Raises:
            ValueError: `x` is no batch of images, or `rounds` is no number of passes.
        """
        check_positive_int("rounds", rounds)
        images = np.array(x, self.dtype)
        if images.ndim != 4 or not images.size:
            raise ValueError(
                "`x` must be images (n, height, width, channels), at least one. "
                f"Received: x of shape {images.shape}"
            )
        if self.rescale:
            images *= self.rescale
        if augment:
            rng = np.random.RandomState(resolve_seed(seed))
            images = np.stack(
                [
                    self.apply_transform(image, self._draw(rng, image.shape))
                    for _ in range(rounds)
                    for image in images
                ]
            )
        if self.featurewise_center:
            self.mean = center(images)
        if self.featurewise_std_normalization:
            self.std = divide_by_deviation(images)
        if self.zca_whitening:
            self.zca_whitening_matrix = whitening_matrix(images, self.zca_epsilon)

    def check_fitted(self) -> None:
        """Raise ValueError if `fit` has yet to measure what `standardize` needs."""
        for name, wanted, measured in (
            ("featurewise_center", self.featurewise_center, self.mean),
            (
                "featurewise_std_normalization",
                self.featurewise_std_normalization,
                self.std,
            ),
            ("zca_whitening", self.zca_whitening, self.zca_whitening_matrix),
        ):
            if wanted and measured is None:
                raise ValueError(
                    f"`{name}` must have seen images first. Received: {name}=True, "
                    "nothing measured. Call `fit(images)`."
                )

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """Normalize a float image or batch, in place where possible; return it.

        Raises:
            ValueError: `fit` has yet to be called.
        """
        self.check_fitted()
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + 1e-6
        if self.featurewise_center:
            x -= self.mean
        if self.featurewise_std_normalization:
            x /= np.asarray(self.std) + 1e-6
        matrix = self.zca_whitening_matrix
        if self.zca_whitening and matrix is not None:
            x = (x.reshape(-1, len(matrix)) @ matrix).reshape(x.shape)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Apply a random transform to the image `x`, `(height, width, channels)`."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def get_random_transform(
        self, img_shape: Sequence[int], seed: int | None = None
    ) -> dict[str, Any]:
        """Draw the parameters of a transform: for a seed, those of the legacy class.

        Args:
            img_shape: `(height, width, channels)`.
            seed: below 2**32; None draws anew. NumPy's global state is left alone.

        Returns:
            `theta` and `shear` in degrees, `tx` and `ty` in pixels, the factors `zx`
            and `zy`, `flip_horizontal`, `flip_vertical`, `channel_shift_intensity`
            and `brightness` (both None if off).
        """
        if seed is None:
            return self._draw(np.random.RandomState(), img_shape)
        _DRAWS.rng.seed(seed)
        return self._draw(_DRAWS.rng, img_shape)

    def apply_transform(
        self, x: np.ndarray, transform_parameters: Mapping[str, Any]
    ) -> np.ndarray:
        """Transform the image `x`, `(height, width, channels)`.

        Args:
            x: float values.
            transform_parameters: as `get_random_transform` returns them; what is left
                out changes nothing.
        """
        x = warp_array(
            x,
            transform_parameters,
            self.fill_mode,
            self.cval,
            self.interpolation_order,
        )
        intensity = transform_parameters.get("channel_shift_intensity")
        if intensity is not None:
            x = shift_channels(x, intensity)
        brightness = transform_parameters.get("brightness")
        return x if brightness is None else change_brightness(x, brightness)

    def _draw(
        self, rng: np.random.RandomState, img_shape: Sequence[int]
    ) -> dict[str, Any]:
        """Draw in the legacy class's order, from `rng` instead of the global state."""
        drawn: dict[str, Any] = dict.fromkeys(("theta", "tx", "ty", "shear"), 0)
        if self.rotation_range:
            drawn["theta"] = rng.uniform(-self.rotation_range, self.rotation_range)
        drawn["tx"] = _draw_shift(rng, self.height_shift_range, img_shape[0])
        drawn["ty"] = _draw_shift(rng, self.width_shift_range, img_shape[1])
        if self.shear_range:
            drawn["shear"] = rng.uniform(-self.shear_range, self.shear_range)
        drawn["zx"], drawn["zy"] = 1, 1
        if self.zoom_range != [1, 1]:
            low, high = self.zoom_range
            drawn["zx"], drawn["zy"] = rng.uniform(low, high, 2)
        drawn["flip_horizontal"] = (rng.random_sample() < 0.5) * self.horizontal_flip
        drawn["flip_vertical"] = (rng.random_sample() < 0.5) * self.vertical_flip
        drawn["channel_shift_intensity"] = drawn["brightness"] = None
        if self.channel_shift_range:
            drawn["channel_shift_intensity"] = rng.uniform(
                -self.channel_shift_range, self.channel_shift_range
            )
        if self.brightness_range is not None:
            drawn["brightness"] = rng.uniform(*self.brightness_range)
        return drawn


def _draw_shift(
    rng: np.random.RandomState, shift: float | Sequence[float], side: int
) -> float:
    """Pixels to move by along a side of `side` pixels."""
    if not shift:
        return 0
    drawn: Any
    if np.ndim(shift) or isinstance(shift, (int, np.integer)):
        drawn = rng.choice(shift) * rng.choice([-1, 1])
    else:
        reach = np.asarray(shift)
        drawn = rng.uniform(-reach, reach)
    return drawn * side if np.max(shift) < 1 else drawn


def _check_pair(name: str, value: Any) -> None:
    numbers = isinstance(value, (tuple, list)) and all(
        isinstance(number, (int, float)) for number in value
    )
    if not numbers or len(value) != 2:
        raise ValueError(
            f"`{name}` must be a pair of numbers (low, high). "
            f"Received: {name}={value!r}"
        )
