"""Keras's MixUp and CutMix as functions of a batch and a seed.

The layers count their draws in a state, so that neither a second pass nor a resumed run
would see the same mixtures. Here each batch gets a seed of its own.
"""

from collections.abc import Callable
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf

Mix: TypeAlias = keras.layers.MixUp | keras.layers.CutMix
Mixer = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def mixer(layer: Mix) -> Mixer:
    """Return what `layer` does, without its state.

    Returns:
        A function of images `(n, height, width, 3)` uint8, labels `(n, k)` float32 and
        a seed that returns images uint8 and labels. Several threads may call it.

    Raises:
        ValueError: `layer` is neither MixUp nor CutMix of Keras.
    """
    if not isinstance(layer, Mix):
        raise ValueError(
            "`mix` must be a keras.layers.MixUp, a keras.layers.CutMix or None. "
            f"Received: mix={layer!r}"
        )
    # A policy of half precision would round pixels.
    layer = type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    def mix(
        images: np.ndarray, labels: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        with tf.device("CPU:0"):  # a graphics card has the model's work to do
            draws = layer.get_random_transformation(
                {"images": images}, seed=keras.random.SeedGenerator(seed)
            )
            mixed = layer.transform_images(images, draws)
            mixed_labels = layer.transform_labels(labels, draws)
        return np.rint(mixed).astype(np.uint8), np.asarray(mixed_labels, np.float32)

    return mix
