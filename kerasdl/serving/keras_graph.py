"""A Keras model as one graph, in batches, warm."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from kerasdl.classification import Predictor, with_features
from kerasdl.models import fold_batch_norm


def keras_graph(
    predictor: Predictor, max_batch: int
) -> Callable[[np.ndarray], np.ndarray]:
    """The predictor's model for uint8 pixels `(n, *image_size, 3)`."""
    network = fold_batch_norm(predictor.model)
    return _warm_graph(network, predictor.image_size, max_batch)


def unlike_graph(predictor: Predictor) -> Callable[[np.ndarray], np.ndarray] | None:
    """Whether pictures are unlike the training photos; None where that is not known."""
    likeness = predictor.likeness
    both = None if likeness is None else with_features(predictor.model)
    if both is None:
        return None
    features = keras.Model(both.inputs, both.outputs[0])
    run = _warm_graph(features, predictor.image_size, 1)
    return lambda pixels: likeness.are_unlike(run(pixels))


def _warm_graph(
    network: keras.Model, size: tuple[int, int], max_batch: int
) -> Callable[[np.ndarray], np.ndarray]:

    # With the number of pictures left open one trace serves all batches.
    @tf.function(input_signature=[tf.TensorSpec((None, *size, 3), "uint8")])
    def graph(pixels: tf.Tensor) -> tf.Tensor:
        return network(tf.cast(pixels, "float32"), training=False)

    def run(pixels: np.ndarray) -> np.ndarray:
        return graph(pixels).numpy()

    for number in {1, max_batch}:  # the first call traces and is slow
        run(np.zeros((number, *size, 3), "uint8"))
    return run
