"""How much each token of a text counts for an answer: gradient times input."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasdl._layer_walks import layers_in_order


def token_marks(network: keras.Model, tokens: np.ndarray, answer: int) -> np.ndarray:
    """What each token adds to the log-odds of a class, to first order, `(steps,)`.

    The gradient by each embedding, times that embedding; what a pair of tokens counts
    is that of the first.

    Args:
        network: of tokens.
        tokens: of one text, int32 `(steps,)`.
        answer: number of the class.
    """
    tables = [
        layer.embeddings.value
        for layer in layers_in_order(network)
        if isinstance(layer, layers.Embedding) and layer.name != "positions"
    ]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tables)
        found = tf.clip_by_value(network(tokens[None])[0, answer], 1e-7, 1 - 1e-7)
        log_odds = tf.math.log(found) - tf.math.log(1 - found)
    marks = np.zeros(len(tokens))
    for table, slices in zip(tables, tape.gradient(log_odds, tables), strict=True):
        if slices is None:
            continue
        slopes = tf.reshape(slices.values, (-1, table.shape[-1]))
        rows = tf.gather(table, tf.reshape(slices.indices, [-1]))
        marks += tf.reduce_sum(slopes * rows, axis=-1).numpy()
    return marks
