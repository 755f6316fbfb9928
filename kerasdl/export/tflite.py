"""A `.tflite` file that takes the pixels of a picture."""

import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from kerasdl._atomic import write_bytes
from kerasdl.runtime import silenced

from .keras_file import inference_model


def save_tflite(model: keras.Model, path: str | Path) -> None:
    """Write a trained model as a `.tflite` file, whole or not at all.

    The file takes one picture, uint8 `(1, height, width, 3)`, and returns what the
    model returns for it in float32.

    Args:
        model: functional or Sequential, of Keras's own layers, with one input of
            `(batch, height, width, 3)` whose height and width are fixed.
        path: the file, ending in `.tflite`.

    Raises:
        ValueError: `path` ends otherwise, or `model` is not such a model.
    """
    if Path(path).suffix != ".tflite":
        raise ValueError(f"`path` must end in .tflite. Received: path={str(path)!r}")
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            "`model` must have one input (batch, height, width, 3) of a fixed size. "
            f"Received: input shape {shape}"
        )
    copy = inference_model(model)

    @tf.function(input_signature=[tf.TensorSpec((1, *shape[1:]), tf.uint8, "pixels")])
    def serve(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": copy(tf.cast(pixels, tf.float32), training=False)}

    # Of the model only its variables: with its layers this takes twice as long.
    module = tf.Module()
    module.weights = [variable.value for variable in copy.variables]
    with silenced(), tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, serve.get_concrete_function())
        # Unlike Keras's own export this fails on an operation that the plain
        # interpreter cannot run.
        content = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
    write_bytes(path, content)
