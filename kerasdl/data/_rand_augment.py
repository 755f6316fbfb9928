"""keras-cv's RandAugment as a function of pixels and seeds.

keras-cv draws from TensorFlow's global random state, so that neither a second pass nor
a resumed run would see the same images. Here the layers of its policy get another
source of random numbers.

Reference: Cubuk et al., RandAugment, https://arxiv.org/abs/1909.13719
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import tensorflow as tf

from kerasdl._optional import require

# keras-cv's defaults: three operations an image, each left out once in eleven times.
_ROUNDS = 3
_MAGNITUDE, _MAGNITUDE_STDDEV = 0.5, 0.15


@cache  # the graph serves all photos of a size
def rand_augment(
    image_size: tuple[int, int],
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Build RandAugment with keras-cv's default policy.

    Args:
        image_size: `(height, width)` of the images.

    Returns:
        A function of images `(n, height, width, 3)`, uint8, and draws `(n, k)`, k > 1,
        uniform numbers in [0, 1), that returns augmented images, uint8. Several threads
        may call it at once; the first call takes some seconds to build a graph.

    Raises:
        ImportError: keras-cv is not installed.
    """
    keras_cv = require("keras_cv", "cv")
    _allow_global_generator()
    policy = keras_cv.layers.RandAugment.get_standard_policy(
        (0, 255), _MAGNITUDE, _MAGNITUDE_STDDEV
    )
    source = _Draws()
    for layer in policy:
        _redirect(layer, source, keras_cv.core)

    def one_round(number: tf.Tensor, image: tf.Tensor, seed: tf.Tensor) -> tuple:
        source.start(seed + [0, number * 1_000_000])
        chosen = source.uniform((), 0, len(policy) + 1, tf.int32)
        branches = [partial(layer, image) for layer in policy]
        image = tf.switch_case(chosen, branches, default=lambda: image)
        return number + 1, tf.ensure_shape(image, (*image_size, 3)), seed

    def augment(image_and_seed: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        start = (tf.constant(0, tf.int64), *image_and_seed)
        return tf.while_loop(lambda number, *_: number < _ROUNDS, one_round, start)[1]

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, *image_size, 3), tf.uint8),
            tf.TensorSpec((None, 2), tf.int64),
        ]
    )
    def augment_batch(images: tf.Tensor, seeds: tf.Tensor) -> tf.Tensor:
        pixels = tf.cast(images, tf.float32)
        pixels = tf.map_fn(augment, (pixels, seeds), fn_output_signature=tf.float32)
        return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8)

    def apply(images: np.ndarray, draws: np.ndarray) -> np.ndarray:
        with tf.device("CPU:0"):  # a graphics card has the model's work to do
            seeds = (draws[:, :2] * 2**53).astype("int64")
            return augment_batch(tf.constant(images), tf.constant(seeds)).numpy()

    return apply


class _Draws:
    """Stands in for a `tf.random.Generator`, without a state.

    Each number is a function of the seed, a tensor that is set while a graph is built,
    and of the place after that where it is drawn.
    """

    def start(self, seed: tf.Tensor) -> None:
        self._seed = seed
        self._places = 0

    def uniform(
        self,
        shape: Any,
        minval: Any = 0,
        maxval: Any = None,
        dtype: tf.DType = tf.float32,
    ) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, self._next(), minval, maxval, dtype)

    def of_factor(
        self, factor: Any, shape: Any = (), dtype: tf.DType = tf.float32
    ) -> tf.Tensor:
        """Draw as keras-cv's sampler `factor` would."""
        if hasattr(factor, "stddev"):
            value = tf.random.stateless_normal(
                shape, self._next(), factor.mean, factor.stddev, dtype
            )
            return tf.clip_by_value(value, factor.min_value, factor.max_value)
        return self.uniform(shape, factor.lower, factor.upper, dtype)

    def _next(self) -> tf.Tensor:
        self._places += 1
        return self._seed + [0, self._places]


def _redirect(layer: Any, source: _Draws, core: Any) -> None:
    """Let `layer` and the samplers of its factors draw from `source`."""
    layer.dtype_policy = "float32"  # pixels are no matter of a mixed precision
    layer._random_generator = source
    samplers = core.NormalFactorSampler, core.UniformFactorSampler
    for name, value in list(vars(layer).items()):
        if isinstance(value, samplers):
            setattr(layer, name, partial(source.of_factor, value))


def _allow_global_generator() -> None:
    """Let keras-cv's layers take hold of the global generator, which none then uses.

    Under op determinism TensorFlow does not make one up by itself.
    """
    try:
        tf.random.get_global_generator()
    except RuntimeError:
        tf.random.set_global_generator(tf.random.Generator.from_seed(0))
