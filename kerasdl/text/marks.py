"""How much each token of a text counts for an answer: gradient times input."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from kerasdl._layer_walks import layers_in_order

from .hashing import ngram_ids_of
from .nbsvm import RUNS


def token_marks(network: keras.Model, tokens: np.ndarray, answer: int) -> np.ndarray:
    """What each token adds to the log-odds of a class, to first order, `(steps,)`.

    The gradient by each embedding, times that embedding; what a run of tokens counts is
    that of its first.

    Args:
        network: of tokens.
        tokens: of one text, int32 `(steps,)`.
        answer: number of the class.
    """
    found = [
        layer
        for layer in layers_in_order(network)
        if isinstance(layer, layers.Embedding) and layer.name != "positions"
    ]
    tables = [layer.embeddings.value for layer in found]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tables)
        chance = tf.clip_by_value(network(tokens[None])[0, answer], 1e-7, 1 - 1e-7)
        log_odds = tf.math.log(chance) - tf.math.log(1 - chance)
    marks = np.zeros(len(tokens))
    for layer, slices in zip(found, tape.gradient(log_odds, tables), strict=True):
        if slices is None:
            continue
        ids = tf.reshape(slices.indices, [-1])
        values = tf.reshape(slices.values, (-1, layer.output_dim))
        values = (values * tf.gather(layer.embeddings.value, ids)).numpy()
        if layer.name.startswith(RUNS):
            marks += _of_runs(layer.name, ids.numpy(), values, tokens)
        else:
            marks += values.sum(axis=1)
    return marks


def _of_runs(
    name: str, ids: np.ndarray, values: np.ndarray, tokens: np.ndarray
) -> np.ndarray:
    """What `nbsvm` read in the order of its numbers, where it first stands."""
    size = int(name.removeprefix(RUNS))
    own = tokens if size == 1 else ngram_ids_of(tokens, size)
    # The last column is that of the text's length, which no run has for itself.
    worth = dict.fromkeys(own.tolist(), 0.0)
    for number, value in zip(ids.tolist(), values[:, :-1].sum(axis=1), strict=True):
        if number in worth:
            worth[number] += value
    marks = np.zeros(len(tokens))
    for place, number in enumerate(own.tolist()):
        marks[place] = worth.pop(number, 0.0)
    return marks
