"""What leaves: files of a detector that take pixels and answer with boxes."""

from pathlib import Path

import keras

from kerasdl import artefacts
from kerasdl.artefacts import Input, Signature


def signature(model: keras.Model) -> Signature:
    """What the files of a model of final answers take and return."""
    names = tuple(sorted(model.output))  # Keras orders a dict by its keys
    return Signature({"pixels": Input(tuple(model.input_shape[1:]), "float32")}, names)


def save_tflite(model: keras.Model, path: str | Path) -> None:
    """Write a `.tflite` file of built-in operators that answers one picture.

    Args:
        model: as `with_answers` makes it.
        path: the file.
    """
    # Boxes of hardly different scores change places.
    artefacts.write_tflite(model, path, signature(model), compared=["scores"])


def save_onnx(model: keras.Model, path: str | Path) -> None:
    """Write an `.onnx` file that answers pictures in batches of any size.

    Args:
        model: as `with_answers` makes it.
        path: the file.
    """
    artefacts.write_onnx(model, path, signature(model))
