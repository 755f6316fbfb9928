"""Networks that classify texts: a table of sizes, blocks, a builder for each."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from kerasdl._seeds import Seeds

from . import blocks
from .hashing import ngram_ids

# Sizes of the lesson's code: 1,000 known words, of which each is 128 numbers.
_RECURRENT = {
    "bigrams": False,
    "halve": False,
    "dim": 128,
    "units": 128,
    "depth": 3,
    "dropout": 0.8,
}
LESSON: dict[str, dict[str, Any]] = {
    "fasttext": {"dim": 128, "hidden": 128, "dropout": 0.8},
    "text_cnn": {
        "bigrams": False,
        "dim": 128,
        "filters": 256,
        "widths": (2, 3, 4),
        "dropout": 0.8,
    },
    "text_rnn": _RECURRENT,
    "text_rcnn": _RECURRENT,
    "text_rnn_attention": _RECURRENT,
    "bilstm": _RECURRENT,
    "gru": _RECURRENT,
    "transformer": {
        "bigrams": False,
        "dim": 128,
        "heads": 8,
        "depth": 3,
        "dropout": 0.1,
    },
}
LESSON_WORDS = 1000
_RUNS = 32_749  # buckets, a prime, of the runs of each length of fasttext
_NOISE = 0.1  # dropout of embeddings, of whole features


def fasttext(
    vocab_size: int,
    classes: int = 2,
    dim: int = 64,
    hidden: int = 64,
    dropout: float = 0.5,
    ngrams: int = 3,
    *,
    seed: int | None = None,
) -> keras.Model:
    """The mean of the embeddings of tokens and of runs of them, and a dense layer.

    Input: tokens, int32 `(batch, steps)`, 0 at the end. Output: probabilities.

    Reference:
        Joulin et al., 2016, https://arxiv.org/abs/1607.01759
    """
    seeds = Seeds(seed)
    tokens, mask = blocks.tokens_in()
    means = [blocks.mean(blocks.embedding(vocab_size, dim, seeds)(tokens), mask)]
    for size in range(2, ngrams + 1):
        ids = ngram_ids(tokens, size, _RUNS)
        found = blocks.embedding(_RUNS + 1, dim, seeds)(ids)
        means.append(blocks.mean(found, ops.not_equal(ids, 0)))
    whole = layers.Concatenate()(means) if len(means) > 1 else means[0]
    whole = layers.Dropout(dropout, seed=seeds())(whole)
    if hidden:
        whole = blocks.dense(hidden, seeds, "relu")(whole)
    return blocks.classifier(tokens, whole, classes, 0.0, seeds, name="fasttext")


def text_cnn(
    vocab_size: int,
    classes: int = 2,
    dim: int = 80,
    filters: int = 64,
    widths: tuple[int, ...] = (1, 2, 3),
    dropout: float = 0.3,
    bigrams: bool = True,
    *,
    seed: int | None = None,
) -> keras.Model:
    """Convolutions of several widths, of each the largest answer over the text.

    Input: tokens, int32 `(batch, steps)`, 0 at the end. Output: probabilities.

    Reference:
        Kim, 2014, https://arxiv.org/abs/1408.5882
    """
    seeds = Seeds(seed)
    tokens, mask, x = blocks.embedded(vocab_size, dim, bigrams, _NOISE, seeds)
    found = []
    for width in widths:
        answer = layers.Conv1D(
            filters,
            width,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeUniform(seed=seeds()),
            name=f"conv{width}",
        )(x)
        found.append(blocks.largest(answer, mask))
    whole = layers.Concatenate()(found)
    return blocks.classifier(tokens, whole, classes, dropout, seeds, name="text_cnn")


def text_rnn(
    vocab_size: int,
    classes: int = 2,
    dim: int = 96,
    units: int = 64,
    depth: int = 1,
    dropout: float = 0.3,
    bigrams: bool = True,
    halve: bool = True,
    *,
    seed: int | None = None,
) -> keras.Model:
    """LSTMs in both directions; their last states are what is known of the text.

    Input: tokens, int32 `(batch, steps)`, 0 at the end. Output: probabilities. With
    `halve` a convolution first makes one step of two, which takes half as long.
    """
    return _read_in_steps("text_rnn", **locals())


def text_rcnn(
    vocab_size: int,
    classes: int = 2,
    dim: int = 96,
    units: int = 64,
    depth: int = 1,
    dropout: float = 0.3,
    bigrams: bool = True,
    halve: bool = True,
    *,
    seed: int | None = None,
) -> keras.Model:
    """Each token beside what LSTMs know of it from both sides; the largest of each.

    Input: tokens, int32 `(batch, steps)`, 0 at the end. Output: probabilities. With
    `halve` a convolution first makes one step of two, which takes half as long. At the
    lesson's sizes: [embedding, 3 BiLSTMs] = 384, ReLU, largest over time, dense.

    Reference:
        Lai et al., 2015 (with its tanh layer, which the lesson leaves out)
    """
    return _read_in_steps("text_rcnn", **locals())


def text_rnn_attention(
    vocab_size: int,
    classes: int = 2,
    dim: int = 96,
    units: int = 64,
    depth: int = 1,
    dropout: float = 0.3,
    bigrams: bool = True,
    halve: bool = True,
    *,
    seed: int | None = None,
) -> keras.Model:
    """LSTM states, of which a learned vector says how much each counts.

    Input: tokens, int32 `(batch, steps)`, 0 at the end. Output: probabilities. With
    `halve` a convolution first makes one step of two, which takes half as long. The
    layer "weights" answers with how much each token counts, `(batch, steps)`.

    Reference:
        Yang et al., 2016 (hierarchical attention, at the level of words)
    """
    return _read_in_steps("text_rnn_attention", **locals())


def bilstm(
    vocab_size: int,
    classes: int = 2,
    dim: int = 96,
    units: int = 64,
    depth: int = 1,
    dropout: float = 0.3,
    bigrams: bool = True,
    halve: bool = True,
    *,
    seed: int | None = None,
) -> keras.Model:
    """LSTMs in both directions; of their states the largest and the mean.

    Input: tokens, int32 `(batch, steps)`, 0 at the end. Output: probabilities. With
    `halve` a convolution first makes one step of two, which takes half as long.
    """
    return _read_in_steps("bilstm", **locals())


def gru(
    vocab_size: int,
    classes: int = 2,
    dim: int = 96,
    units: int = 64,
    depth: int = 1,
    dropout: float = 0.3,
    bigrams: bool = True,
    halve: bool = True,
    *,
    seed: int | None = None,
) -> keras.Model:
    """GRUs in both directions; of their states the largest and the mean.

    Input: tokens, int32 `(batch, steps)`, 0 at the end. Output: probabilities. With
    `halve` a convolution first makes one step of two, which takes half as long.
    """
    return _read_in_steps("gru", **locals())


def transformer(
    vocab_size: int,
    classes: int = 2,
    dim: int = 96,
    heads: int = 4,
    depth: int = 2,
    dropout: float = 0.1,
    max_len: int = 256,
    bigrams: bool = True,
    *,
    seed: int | None = None,
) -> keras.Model:
    """A small encoder: attention and two dense layers, normalised before each.

    Input: tokens, int32 `(batch, steps)`, at most `max_len`, 0 at the end. Output:
    probabilities, of the largest and the mean of its states (layer "encoded").

    Reference:
        Vaswani et al., 2017, https://arxiv.org/abs/1706.03762
    """
    seeds = Seeds(seed)
    tokens, mask, x = blocks.embedded(vocab_size, dim, bigrams, _NOISE, seeds)
    counted = ops.cast(mask, "int32")
    places = ops.minimum(ops.cumsum(counted, axis=1) * counted, max_len)
    x = x + blocks.embedding(max_len + 1, dim, seeds, name="positions")(places)
    seen = ops.expand_dims(mask, 1)
    for number in range(1, depth + 1):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        attention = layers.MultiHeadAttention(
            heads,
            dim // heads,
            dropout=dropout,
            kernel_initializer=keras.initializers.GlorotUniform(seed=seeds()),
            seed=seeds(),
            name=f"attention{number}",
        )
        x = x + attention(y, y, attention_mask=seen)
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        # The exact one is made of erfc, which ONNX lacks.
        y = ops.gelu(blocks.dense(4 * dim, seeds)(y), approximate=True)
        y = blocks.dense(dim, seeds)(y)
        x = x + layers.Dropout(dropout, seed=seeds())(y)
    x = layers.LayerNormalization(epsilon=1e-6, name="encoded")(x)
    whole = _pooled(x, mask)
    return blocks.classifier(tokens, whole, classes, dropout, seeds, name="transformer")


NETWORKS: dict[str, Callable[..., keras.Model]] = {
    "fasttext": fasttext,
    "text_cnn": text_cnn,
    "text_rnn": text_rnn,
    "text_rcnn": text_rcnn,
    "text_rnn_attention": text_rnn_attention,
    "bilstm": bilstm,
    "gru": gru,
    "transformer": transformer,
}


def _read_in_steps(
    name: str,
    vocab_size: int,
    classes: int,
    dim: int,
    units: int,
    depth: int,
    dropout: float,
    bigrams: bool,
    halve: bool,
    seed: int | None,
) -> keras.Model:
    """A network of recurrent layers, by its name in `_IN_STEPS`."""
    kind, end = _IN_STEPS[name]
    seeds = Seeds(seed)
    tokens, mask, x = blocks.embedded(vocab_size, dim, bigrams, _NOISE, seeds)
    if halve:
        x, mask = blocks.halved(x, mask, seeds)
    options = {"dropout": dropout, "seeds": seeds, "last": end is None}
    states = blocks.recurrent(x, mask, kind, units, depth, **options)
    whole = states if end is None else end(x, mask, states, seeds)
    return blocks.classifier(tokens, whole, classes, dropout, seeds, name=name)


def _beside(x: Any, mask: Any, states: Any, seeds: Seeds) -> Any:
    both = ops.relu(layers.Concatenate()([x, states]))
    return blocks.largest(both, mask)


def _weighed(x: Any, mask: Any, states: Any, seeds: Seeds) -> Any:
    scores = blocks.dense(1, seeds, use_bias=False)(ops.tanh(states))
    scores = ops.squeeze(scores, axis=-1)
    scores = ops.where(mask, scores, blocks.LOW)
    weights = layers.Softmax(name="weights")(scores)
    whole = ops.sum(states * ops.expand_dims(weights, -1), axis=1)
    return blocks.dense(64, seeds, "relu")(whole)


def _largest_and_mean(x: Any, mask: Any, states: Any, seeds: Seeds) -> Any:
    return _pooled(states, mask)


def _pooled(x: Any, mask: Any) -> Any:
    return layers.Concatenate()([blocks.largest(x, mask), blocks.mean(x, mask)])


# The layers, and what is made of their states; None is the last of either direction.
_IN_STEPS: dict[str, tuple[str, Callable[..., Any] | None]] = {
    "text_rnn": ("LSTM", None),
    "text_rcnn": ("LSTM", _beside),
    "text_rnn_attention": ("LSTM", _weighed),
    "bilstm": ("LSTM", _largest_and_mean),
    "gru": ("GRU", _largest_and_mean),
}
