"""Naive Bayes and logistic regression on runs of tokens, as a Keras model."""

from collections.abc import Sequence

import keras
import numpy as np
import scipy.sparse as sp
from keras import layers, ops
from sklearn.linear_model import LogisticRegression

from kerasdl._checks import check_positive_int

from . import blocks
from .data import TextData
from .hashing import BUCKETS, ngram_ids, ngram_ids_of


def nbsvm(data: TextData, ngrams: int = 3, strength: float = 8.0) -> keras.Model:
    """Fit a linear model of tokens and runs of tokens to the training texts.

    Each run counts by how much more often it stands in texts of a class than in others
    (the log-count ratio of naive Bayes), times a weight that logistic regression finds.
    A run that stands in a text several times counts once; a text's sum is divided by
    the root of how many there are.

    Args:
        data: the texts.
        ngrams: tokens of the longest runs.
        strength: C of the regression: less holds weights closer to 0.

    Returns:
        A network of tokens, `(batch, steps)`, that returns probabilities; fitted.

    Raises:
        ValueError: `ngrams` is no integer of at least 1.

    Reference:
        Wang & Manning, 2012, "Baselines and bigrams" (there with an SVM)
    """
    check_positive_int("ngrams", ngrams)
    classes = len(data.class_names)
    present = _present(data.encoded("train"), ngrams, data.tokenizer.size)
    labels = data.labels("train")
    total = np.maximum(np.asarray(present.sum(axis=1)), 1)
    scaled = present.multiply(total**-0.5).tocsr()
    tops = range(classes) if classes > 2 else (1,)
    weights, biases = [], []
    for number in tops:
        own = labels == number
        ratio = _ratio(present, own)
        model = LogisticRegression(C=strength, max_iter=300)
        model.fit(scaled.multiply(ratio).tocsr(), own)
        weights.append(ratio * model.coef_[0])
        biases.append(model.intercept_[0])
    found, bias = np.stack(weights, axis=1), np.array(biases)
    if classes == 2:  # half for the one, half against the other
        found = np.concatenate([-found, found], axis=1) / 2
        bias = np.concatenate([-bias, bias]) / 2
    network = _network(data.tokenizer.size, classes, ngrams)
    starts = np.cumsum([0, data.tokenizer.size, *[BUCKETS + 1] * (ngrams - 1)])
    for size, (start, end) in enumerate(zip(starts, starts[1:], strict=False), 1):
        network.get_layer(f"runs{size}").set_weights([found[start:end]])
    network.get_layer("probability").set_weights([np.eye(classes), bias])
    return network


def _network(vocab_size: int, classes: int, ngrams: int) -> keras.Model:
    tokens, _ = blocks.tokens_in()
    sums, counts = [], []
    for size in range(1, ngrams + 1):
        ids = tokens if size == 1 else ngram_ids(tokens, size)
        rows = vocab_size if size == 1 else BUCKETS + 1
        table = layers.Embedding(
            rows, classes, embeddings_initializer="zeros", name=f"runs{size}"
        )
        ids = ops.sort(ids, axis=1)
        before = ops.pad(ids[:, :-1], ((0, 0), (1, 0)))
        first = ops.cast(ops.not_equal(ids, before), "float32")  # and no padding
        sums.append(ops.sum(table(ids) * ops.expand_dims(first, -1), axis=1))
        counts.append(ops.sum(first, axis=1, keepdims=True))
    root = ops.sqrt(ops.maximum(sum(counts[1:], counts[0]), 1.0))
    top = layers.Dense(classes, "softmax", dtype="float32", name="probability")
    return keras.Model(tokens, top(sum(sums[1:], sums[0]) / root), name="nbsvm")


def _present(
    encoded: Sequence[np.ndarray], ngrams: int, vocab_size: int
) -> sp.csr_matrix:
    """1 for each run that stands in a text; columns as the tables' rows."""
    parts = []
    for size in range(1, ngrams + 1):
        ids = [text if size == 1 else ngram_ids_of(text, size) for text in encoded]
        rows = np.repeat(np.arange(len(ids)), [len(text) for text in ids])
        width = vocab_size if size == 1 else BUCKETS + 1
        columns = np.concatenate(ids)
        shape = len(ids), width
        parts.append(sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape))
    return sp.hstack(parts).tocsr().sign()


def _ratio(present: sp.csr_matrix, own: np.ndarray) -> np.ndarray:
    """The logarithm of how much likelier each run is among texts of a class."""
    inside = 1 + np.asarray(present[own].sum(axis=0)).ravel()
    outside = 1 + np.asarray(present[~own].sum(axis=0)).ravel()
    return np.log((inside / inside.sum()) / (outside / outside.sum()))
