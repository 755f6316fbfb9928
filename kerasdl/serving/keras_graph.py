"""A Keras model as one graph, in batches, warm."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from kerasdl.classification import Predictor, with_features
from kerasdl.models import fold_batch_norm

Answers = Callable[[np.ndarray], list[np.ndarray]]


def keras_graph(predictor: Predictor, max_batch: int) -> Answers:
    """The predictor's model for uint8 pixels `(n, *image_size, 3)`.

    It returns the model's outputs, behind the features that `knows_features` tells of.
    """
    both = with_features(predictor.model) if knows_features(predictor) else None
    network = fold_batch_norm(predictor.model if both is None else both)
    size = predictor.image_size

    # With the number of pictures left open one trace serves all batches.
    @tf.function(input_signature=[tf.TensorSpec((None, *size, 3), "uint8")])
    def graph(pixels: tf.Tensor) -> list[tf.Tensor]:
        return tf.nest.flatten(network(tf.cast(pixels, "float32"), training=False))

    def run(pixels: np.ndarray) -> list[np.ndarray]:
        return [output.numpy() for output in graph(tf.constant(pixels))]

    for number in {1, max_batch}:  # the first call traces and is slow
        run(np.zeros((number, *size, 3), "uint8"))
    return run


def knows_features(predictor: Predictor) -> bool:
    """Whether photos are compared with the training photos, by what a layer takes."""
    return predictor.likeness is not None and with_features(predictor.model) is not None
