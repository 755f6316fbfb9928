"""What networks of texts are made of; padding changes no answer of theirs."""

from typing import Any

import keras
from keras import initializers, layers, ops

from kerasdl._seeds import Seeds

from .hashing import ngram_ids

Tensor = Any
BIGRAMS = 16_381  # buckets, a prime, of the embedding of pairs
LOW = -1e4  # below all activations, and a number in half precision too


def tokens_in() -> tuple[Tensor, Tensor]:
    """The input of tokens, `(batch, steps)`, and where it is one."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    return tokens, ops.not_equal(tokens, 0)


def embedding(count: int, dim: int, seeds: Seeds, name: str | None = None) -> Any:
    """A layer that has `dim` numbers for each of `count`."""
    start = initializers.RandomNormal(0, dim**-0.5, seed=seeds())
    return layers.Embedding(count, dim, embeddings_initializer=start, name=name)


def dense(
    units: int, seeds: Seeds, activation: str | None = None, **options: Any
) -> Any:
    """A dense layer of seeded weights."""
    start = initializers.GlorotUniform(seed=seeds())
    return layers.Dense(units, activation, kernel_initializer=start, **options)


def embedded(
    vocab_size: int, dim: int, bigrams: bool, dropout: float, seeds: Seeds
) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, where they are, and `(batch, steps, dim)`, 0 where they are not.

    Of Chinese characters a pair is often a word: with `bigrams` half of the numbers are
    of the pair that begins with a token.
    """
    tokens, mask = tokens_in()
    half = dim // 2 if bigrams else 0
    x = embedding(vocab_size, dim - half, seeds, "embedding")(tokens)
    if bigrams:
        pairs = embedding(BIGRAMS + 1, half, seeds, "bigrams")
        found = pairs(ngram_ids(tokens, 2, BIGRAMS))
        x = layers.Concatenate()([x, found])
    x = layers.SpatialDropout1D(dropout, seed=seeds())(x)
    return tokens, mask, x * ops.expand_dims(ops.cast(mask, x.dtype), -1)


def halved(x: Tensor, mask: Tensor, seeds: Seeds) -> tuple[Tensor, Tensor]:
    """Half as many steps, each of three that lie together, and where they are.

    Recurrent layers take as long as there are steps. Texts end in 0, so that padding
    changes nothing.

    Args:
        x: `(batch, steps, features)`, 0 where there is no token.
        mask: where there are tokens.
        seeds: of the weights.
    """
    start = initializers.HeUniform(seed=seeds())
    find = layers.Conv1D(
        x.shape[-1],
        3,
        strides=2,
        activation="relu",
        kernel_initializer=start,
        name="halved",
    )
    return find(ops.pad(x, ((0, 0), (0, 2), (0, 0)))), mask[:, ::2]


def recurrent(
    x: Tensor,
    mask: Tensor,
    kind: str,
    units: int,
    depth: int,
    dropout: float,
    seeds: Seeds,
    last: bool = False,
) -> Tensor:
    """`depth` layers in both directions: all states, or the last of either direction.

    Args:
        x: `(batch, steps, features)`.
        mask: where there are tokens.
        kind: "LSTM" or "GRU".
        units: of a direction.
        depth: number of layers.
        dropout: between them.
        seeds: of the weights.
        last: return the last states of the last layer, `(batch, 2 * units)`.
    """
    for number in range(1, depth + 1):
        one = getattr(layers, kind)(
            units,
            kernel_initializer=initializers.GlorotUniform(seed=seeds()),
            recurrent_initializer=initializers.Orthogonal(seed=seeds()),
            return_sequences=number < depth or not last,
        )
        both = layers.Bidirectional(one, name=f"{kind.lower()}{number}")
        x = both(x, mask=mask)
        if number < depth:
            x = layers.Dropout(dropout, seed=seeds())(x)
    return x


def largest(x: Tensor, mask: Tensor) -> Tensor:
    """The largest over the tokens, `(batch, features)`; 0 of a text without any."""
    mask = ops.expand_dims(mask, -1)
    found = ops.max(ops.where(mask, x, LOW), axis=1)
    return ops.where(ops.any(mask, axis=1), found, 0.0)


def mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean over the tokens, `(batch, features)`; 0 of a text without any."""
    there = ops.expand_dims(ops.cast(mask, x.dtype), -1)
    count = ops.maximum(ops.sum(there, axis=1), 1.0)
    return ops.sum(x * there, axis=1) / count


def classifier(
    tokens: Tensor, x: Tensor, classes: int, dropout: float, seeds: Seeds, name: str
) -> keras.Model:
    """A model that ends in a probability for each class."""
    x = layers.Dropout(dropout, seed=seeds())(x)
    top = dense(classes, seeds, "softmax", dtype="float32", name="probability")
    return keras.Model(tokens, top(x), name=name)
