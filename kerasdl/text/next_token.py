"""A recurrent language model: it guesses the next token from all before it."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import initializers, layers

from kerasdl import train
from kerasdl._checks import check_positive_int
from kerasdl._seeds import Seeds

from . import blocks
from .tokenizer import NOTHING, pad
from .unlabelled import UnlabelledTexts

_BATCH = 64


class NextTokens(UnlabelledTexts):
    """Texts and what follows each token of them.

    Batches are tokens with a start before them, int32 `(n, steps + 1)`; what follows,
    with an end; and weights, 0 where there is padding. The start is number
    `vocab_size`, the end `vocab_size + 1`.

    Args:
        encoded: as of `UnlabelledTexts`.
        vocab_size: numbers that tokens have.
        batch_size: texts in a batch.
        seed: of order.
    """

    def __init__(
        self,
        encoded: Sequence[np.ndarray],
        vocab_size: int,
        batch_size: int = _BATCH,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(encoded, batch_size, seed=seed)
        self.vocab_size = vocab_size

    @cached_property
    def train(self) -> tf.data.Dataset:
        """Batches for training, in a new order each pass."""
        spec = tf.TensorSpec((None, None), tf.int32)
        return self.stream.dataset((spec, spec, tf.TensorSpec((None, None))))

    def make(
        self, texts: list[np.ndarray], generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Shift the texts by one; nothing is drawn."""
        return shifted(texts, self.vocab_size)


def shifted(
    texts: Sequence[np.ndarray], vocab_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens after a start, those that follow, and 1 where there are any."""
    begins = [np.append(np.int32(vocab_size), text) for text in texts]
    ends = [np.append(text, np.int32(vocab_size + 1)) for text in texts]
    given, following = pad(begins), pad(ends)
    return given, following, (following != NOTHING).astype("float32")


def char_lstm(
    vocab_size: int,
    dim: int = 64,
    units: int = 128,
    dropout: float = 0.2,
    *,
    seed: int | None = None,
) -> keras.Model:
    """An LSTM that gives probabilities of the next token, `(batch, steps, V + 2)`.

    Args:
        vocab_size: numbers V that tokens have; a start and an end are added.
        dim: numbers of an embedding.
        units: of the LSTM.
        dropout: before and after it.
        seed: of the weights.
    """
    seeds = Seeds(seed)
    tokens, _ = blocks.tokens_in()
    x = blocks.embedding(vocab_size + 2, dim, seeds, "embedding")(tokens)
    x = layers.Dropout(dropout, seed=seeds())(x)
    x = layers.LSTM(  # padding comes last: no token sees it
        units,
        kernel_initializer=initializers.GlorotUniform(seed=seeds()),
        recurrent_initializer=initializers.Orthogonal(seed=seeds()),
        return_sequences=True,
    )(x)
    x = layers.Dropout(dropout, seed=seeds())(x)
    top = blocks.dense(vocab_size + 2, seeds, "softmax", dtype="float32")
    return keras.Model(tokens, top(x), name="char_lstm")


def fit_next_tokens(
    model: keras.Model,
    encoded: Sequence[np.ndarray],
    vocab_size: int,
    epochs: int = 5,
    learning_rate: float = 4e-3,
    *,
    state: str | Path | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Train a model of `char_lstm` by one cosine; a row for each epoch.

    Args:
        model: of the same `vocab_size`.
        encoded: tokens of each text.
        vocab_size: numbers that tokens have.
        epochs: of the cosine.
        learning_rate: the highest.
        state: `.npz` file that a killed run goes on with; None keeps nothing.
        seed: of order.
    """
    check_positive_int("epochs", epochs)
    model.compile(
        keras.optimizers.Adam(learning_rate), loss="sparse_categorical_crossentropy"
    )
    data = NextTokens(encoded, vocab_size, seed=seed)
    return train.fit_cycles(
        model, data, learning_rate, cycles=1, cycle_len=epochs, state=state
    )


def perplexity(
    model: keras.Model, encoded: Sequence[np.ndarray], vocab_size: int
) -> float:
    """Exp of minus the mean logarithm of a token; ends count as tokens.

    Args:
        model: of `char_lstm`.
        encoded: tokens of each text.
        vocab_size: numbers that tokens have.

    Raises:
        ValueError: there are no texts.
    """
    if not encoded:
        raise ValueError("`encoded` must have at least one text. Received: none")
    total = count = 0.0
    for start in range(0, len(encoded), _BATCH):
        given, following, there = shifted(encoded[start : start + _BATCH], vocab_size)
        found = model.predict_on_batch(given)
        chosen = np.take_along_axis(found, following[..., None], axis=2)[..., 0]
        total += float((np.log(np.maximum(chosen, 1e-30)) * there).sum())
        count += float(there.sum())
    return float(np.exp(-total / count))


def write_on(
    model: keras.Model,
    begin: Sequence[int],
    vocab_size: int,
    length: int = 40,
    temperature: float = 0.8,
    *,
    seed: int = 0,
) -> list[int]:
    """Draw tokens that follow `begin`, until an end or `length` of them.

    Args:
        model: of `char_lstm`.
        begin: numbers of tokens; may be none.
        vocab_size: numbers that tokens have.
        length: tokens at most.
        temperature: below 1 makes likely ones likelier.
        seed: of the draw.

    Raises:
        ValueError: `temperature` is not above 0.
    """
    if not temperature > 0:
        raise ValueError(
            f"`temperature` must be above 0. Received: temperature={temperature!r}"
        )
    drawn = np.random.default_rng(seed)
    tokens = [vocab_size, *begin]
    for _ in range(length):
        found = model.predict_on_batch(np.array([tokens], "int32"))[0, -1]
        logs = np.log(np.maximum(found, 1e-30).astype("float64")) / temperature
        logs[[NOTHING, vocab_size]] = -np.inf  # neither padding nor a start follows
        scaled = np.exp(logs - logs.max())
        token = int(drawn.choice(len(scaled), p=scaled / scaled.sum()))
        if token == vocab_size + 1:
            break
        tokens.append(token)
    return tokens[1:]
