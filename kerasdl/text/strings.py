"""A model that takes strings: tokens are found inside, by Keras's own layer."""

import keras
from keras import layers, ops

from .tokenizer import Tokenizer

_LEAST = 8  # tokens of the shortest text, padded: no layer meets an empty one


def with_strings(network: keras.Model, tokenizer: Tokenizer) -> keras.Model:
    """Let a network of tokens take texts; it loads in plain Keras.

    Characters are found inside. Words are cut beforehand, by `Tokenizer.prepare`, and
    come with one blank between.

    Args:
        network: takes tokens, `(batch, steps)`, and returns `(batch, classes)`.
        tokenizer: of its training.

    Returns:
        A model of strings, `(batch,)`; of long ones it reads the first
        `tokenizer.max_len` tokens.
    """
    texts = keras.Input((), dtype="string", name="text")
    find = layers.TextVectorization(
        standardize="lower",
        split="character" if tokenizer.unit == "characters" else "whitespace",
        vocabulary=list(tokenizer.vocabulary),
        name="find_tokens",
    )
    found = ops.pad(find(texts), ((0, 0), (0, _LEAST)))[:, : tokenizer.max_len]
    answer = network(ops.cast(found, "int32"))
    return keras.Model(texts, answer, name=f"{network.name}_of_strings")


def network_of(model: keras.Model) -> keras.Model:
    """The network of tokens inside a model that `with_strings` made."""
    return model.layers[-1]
