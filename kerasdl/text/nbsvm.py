"""Naive Bayes and logistic regression on runs of tokens, as a Keras model."""

from collections.abc import Sequence

import keras
import numpy as np
import scipy.sparse as sp
from keras import layers, ops
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from kerasdl._checks import check_positive_int

from . import blocks
from .data import TextData
from .hashing import BUCKETS, ngram_ids, ngram_ids_of

RUNS = "runs"  # and the number of their tokens: names of the tables


def nbsvm(data: TextData, ngrams: int = 3, strength: float = 16.0) -> keras.Model:
    """Fit a linear model of tokens and runs of tokens to the training texts.

    A run that stands in a text, once or several times, counts by how rare it is among
    texts (TF-IDF's idf) times the root of how much it tells classes apart (the largest
    log-count ratio of naive Bayes); the squares of a text sum to 1. Logistic regression
    finds what each is worth.

    Args:
        data: the texts.
        ngrams: tokens of the longest runs.
        strength: C of the regression: less holds its weights closer to 0.

    Returns:
        A network of tokens, `(batch, steps)`, that returns probabilities; fitted.

    Raises:
        ValueError: `ngrams` is no integer of at least 1.

    Reference:
        Wang & Manning, 2012, "Baselines and bigrams" (there with an SVM, and the ratio
        of one class itself in place of its root times idf)
    """
    check_positive_int("ngrams", ngrams)
    size, classes = data.tokenizer.size, len(data.class_names)
    present = _present(data.encoded("train"), ngrams, size)
    labels = data.labels("train")
    count = np.asarray(present.sum(axis=0)).ravel()
    idf = np.log((1 + len(labels)) / (1 + count)) + 1
    tells = np.max([_ratio(present, labels == c) for c in range(classes)], axis=0)
    weight = np.where(count > 0, idf * tells**0.5, 0.0)  # what is new has no say
    weighted = present.multiply(weight).tocsr()
    model = LogisticRegression(C=strength, max_iter=300)
    model.fit(normalize(weighted), labels)
    worth, bias = model.coef_, model.intercept_
    if classes == 2:  # half for the one, half against the other
        worth, bias = np.concatenate([-worth, worth]) / 2, np.append(-bias, bias) / 2
    rows = np.concatenate([worth.T * weight[:, None], weight[:, None] ** 2], axis=1)
    network = _network(size, classes, ngrams)
    starts = np.cumsum([0, size, *[BUCKETS + 1] * (ngrams - 1)])
    for length, (start, end) in enumerate(zip(starts, starts[1:], strict=False), 1):
        network.get_layer(f"{RUNS}{length}").set_weights([rows[start:end]])
    network.get_layer("probability").set_weights([np.eye(classes), bias])
    return network


def _network(vocab_size: int, classes: int, ngrams: int) -> keras.Model:
    tokens, _ = blocks.tokens_in()
    sums = []
    for size in range(1, ngrams + 1):
        ids = tokens if size == 1 else ngram_ids(tokens, size)
        rows = vocab_size if size == 1 else BUCKETS + 1
        table = layers.Embedding(
            rows, classes + 1, embeddings_initializer="zeros", name=f"{RUNS}{size}"
        )
        ids = ops.sort(ids, axis=1)
        before = ops.pad(ids[:, :-1], ((0, 0), (1, 0)))
        first = ops.cast(ops.not_equal(ids, before), "float32")  # and no padding
        sums.append(ops.sum(table(ids) * ops.expand_dims(first, -1), axis=1))
    whole = sum(sums[1:], sums[0])
    length = ops.sqrt(ops.maximum(whole[:, classes:], 1e-6))
    top = layers.Dense(classes, "softmax", dtype="float32", name="probability")
    return keras.Model(tokens, top(whole[:, :classes] / length), name="nbsvm")


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
    """How much likelier, or less likely, each run is among texts of a class: |log|."""
    inside = 1 + np.asarray(present[own].sum(axis=0)).ravel()
    outside = 1 + np.asarray(present[~own].sum(axis=0)).ravel()
    return np.abs(np.log((inside / inside.sum()) / (outside / outside.sum())))
