"""Masked-language pretraining: a network guesses tokens that it is not shown."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers, ops

from kerasdl import train
from kerasdl._checks import check_positive_int
from kerasdl._seeds import Seeds
from kerasdl.callbacks import CosineRestarts

from . import blocks
from .tokenizer import UNKNOWN, pad
from .unlabelled import UnlabelledTexts

# Of the tokens that are to be guessed, as BERT has it (section 3.1).
_GUESSED, _HIDDEN, _OTHER = 0.15, 0.8, 0.1


class MaskedTexts(UnlabelledTexts):
    """Texts in which some tokens are hidden.

    Batches are pairs of a dict, of `tokens`, int32 `(n, steps)`, of which some are
    hidden or others, and `places`, int32 `(n, k)`, that are to be guessed; and the
    tokens that stood there, int32 `(n, k)`.

    Args:
        encoded: as of `UnlabelledTexts`.
        vocab_size: numbers that tokens have.
        batch_size: texts in a batch.
        seed: of order and masks, which are new in each epoch.
    """

    def __init__(
        self,
        encoded: Sequence[np.ndarray],
        vocab_size: int,
        batch_size: int = 64,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(encoded, batch_size, seed=seed)
        self.vocab_size = vocab_size

    @cached_property
    def train(self) -> tf.data.Dataset:
        """Batches for training, in a new order each pass."""
        spec = tf.TensorSpec((None, None), tf.int32)
        return self.stream.dataset(({"tokens": spec, "places": spec}, spec))

    def make(
        self, texts: list[np.ndarray], generator: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Hide some tokens; those of a short text may be guessed several times."""
        tokens = pad(texts)
        count = max(1, int(tokens.shape[1] * _GUESSED))
        lengths = np.array([len(text) for text in texts])
        places = generator.random((len(texts), count)) * lengths[:, None]
        places = places.astype("int32")
        truth = np.take_along_axis(tokens, places, axis=1)
        kind = generator.random(places.shape)
        others = generator.integers(UNKNOWN + 1, self.vocab_size, places.shape)
        shown = np.where(kind < _HIDDEN, UNKNOWN, truth)
        shown = np.where(kind > 1 - _OTHER, others, shown)
        np.put_along_axis(tokens, places, shown.astype("int32"), axis=1)
        return {"tokens": tokens, "places": places}, truth


def masked_model(
    network: keras.Model, vocab_size: int, *, seed: int | None = None
) -> keras.Model:
    """A model that guesses hidden tokens from the states of `network`.

    Its layers are those of the network: what trains the one trains the other. Input:
    "tokens" and "places", see `MaskedTexts`. Output: `(batch, k, vocab_size)`
    probabilities.

    Args:
        network: of tokens, as `text.models` builds it, with states for each.
        vocab_size: numbers that tokens have.
        seed: of the new weights.

    Raises:
        ValueError: `network` has no states of each token.

    Reference:
        Devlin et al., 2019, https://arxiv.org/abs/1810.04805
    """
    seeds = Seeds(seed)
    states = _states(network)
    places = keras.Input((None,), dtype="int32", name="places")
    x = ops.take_along_axis(states, ops.expand_dims(places, -1), axis=1)
    x = blocks.dense(int(states.shape[-1]), seeds, "gelu")(x)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    guess = blocks.dense(vocab_size, seeds, "softmax", dtype="float32")(x)
    inputs = {"tokens": network.input, "places": places}
    return keras.Model(inputs, guess, name=f"masked_{network.name}")


def pretrain(
    network: keras.Model,
    encoded: Sequence[np.ndarray],
    vocab_size: int,
    epochs: int = 3,
    learning_rate: float = 2e-3,
    batch_size: int = 64,
    *,
    state: str | Path | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Train `network` to guess hidden tokens of texts without labels.

    Args:
        network: of tokens; its layers below the top change.
        encoded: tokens of each text.
        vocab_size: numbers that tokens have.
        epochs: of one cosine cycle.
        learning_rate: the highest.
        batch_size: texts in a batch.
        state: `.npz` file that a killed run goes on with; None keeps nothing.
        seed: of order, masks and new weights.

    Returns:
        A row for each epoch: loss, and the share of tokens that were guessed.

    Raises:
        ValueError: as by `masked_model`.
    """
    check_positive_int("epochs", epochs)
    model = masked_model(network, vocab_size, seed=seed)
    model.compile(
        keras.optimizers.AdamW(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    data = MaskedTexts(encoded, vocab_size, batch_size, seed=seed)
    half_epoch = data.stream.num_batches // 2
    cosine = CosineRestarts(epochs, warm_up_steps=half_epoch)
    return train.fit_cycles(
        model,
        data,
        learning_rate,
        cycles=1,
        cycle_len=epochs,
        cycle_mult=1,
        callbacks=[cosine],
        state=state,
    )


def _states(network: keras.Model) -> Any:
    """What a network has of each token, in its last layer of such a kind."""
    is_halved = any(layer.name == "halved" for layer in network.layers)
    for layer in reversed(network.layers):
        output = layer.output
        of_tokens = not isinstance(output, (list, tuple)) and len(output.shape) == 3
        is_one = isinstance(layer, (layers.LayerNormalization, layers.Bidirectional))
        if of_tokens and is_one and not is_halved:
            return output
    raise ValueError(
        "`network` must have states of each token, as the transformer has and "
        f"recurrent ones of halve=False. Received: {network.name!r}"
    )
