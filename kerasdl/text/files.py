"""What leaves: files of a trained network of texts."""

from pathlib import Path

import keras

from kerasdl import artefacts
from kerasdl.artefacts import Input, Signature

from .strings import with_strings
from .tokenizer import Tokenizer

OF_STRINGS = Signature({"text": Input((), "string")}, ("probability",))


def of_tokens(tokenizer: Tokenizer) -> Signature:
    """What files that take tokens take and return."""
    return Signature({"tokens": Input((tokenizer.max_len,), "int32")}, ("probability",))


def save_inference_model(
    network: keras.Model, path: str | Path, tokenizer: Tokenizer
) -> None:
    """Write a `.keras` file that takes strings; see `with_strings`.

    Args:
        network: of tokens.
        path: the file.
        tokenizer: of its training.
    """
    artefacts.save_inference_model(with_strings(network, tokenizer), path)


def save_saved_model(
    network: keras.Model,
    path: str | Path,
    tokenizer: Tokenizer,
    *,
    overwrite: bool = False,
) -> None:
    """Write a SavedModel whose signature takes strings, `(batch,)`, as `text`.

    Args:
        network: of tokens.
        path: the folder.
        tokenizer: of its training.
        overwrite: replace a SavedModel at `path`.
    """
    model = with_strings(network, tokenizer)
    artefacts.write_saved_model(model, path, OF_STRINGS, overwrite=overwrite)


def save_tflite(network: keras.Model, path: str | Path, tokenizer: Tokenizer) -> None:
    """Write a `.tflite` file that takes `tokens` of one text, `(1, max_len)`.

    `text.json` beside it has the vocabulary: the number of a token is its place there
    plus 2; 0 pads, 1 is unknown.

    Args:
        network: of tokens.
        path: the file.
        tokenizer: of its training.
    """
    artefacts.write_tflite(network, path, of_tokens(tokenizer))


def save_onnx(network: keras.Model, path: str | Path, tokenizer: Tokenizer) -> None:
    """Write an `.onnx` file that takes `tokens`, `(batch, max_len)`.

    Args:
        network: of tokens.
        path: the file.
        tokenizer: of its training.
    """
    artefacts.write_onnx(network, path, of_tokens(tokenizer), {})
