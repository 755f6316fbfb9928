"""What is exported: raw pixels in, probabilities out, as one TensorFlow function."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from kerasdl.models import fold_batch_norm
from kerasdl.predict._model_shapes import check_outputs

from .keras_file import inference_model


def check_pixel_model(
    model: keras.Model, class_names: Sequence[str] | None = None
) -> tuple[int, int, int]:
    """Return the (height, width, channels) that `model` takes.

    Raises:
        ValueError: it is neither functional nor a Sequential that is built, or does not
            take one batch of pictures of a fixed size and return one tensor; or
            `class_names` are not those of its outputs.
    """
    if not getattr(model, "inputs", None):  # subclassed, or not built
        raise ValueError(
            "`model` must be functional, or a Sequential with an Input. Received: a "
            f"{type(model).__name__} whose inputs are not known"
        )
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            "`model` must have one input (batch, height, width, 3) of a fixed size. "
            f"Received: input shape {shape}"
        )
    if shape[-1] != 3:
        raise ValueError(
            "`model` must take RGB pictures. Received: input shape "
            f"{shape}. `models.with_rgb_input` makes one that sees gray take them."
        )
    outputs = model.compute_output_spec(keras.KerasTensor((1, *shape[1:])))
    if not isinstance(outputs, keras.KerasTensor):
        raise ValueError(f"`model` must have one output. Received: {outputs}")
    if class_names is not None:
        check_outputs(model, class_names)
    return shape[1:]


def pixel_module(
    model: keras.Model, batch_size: int | None = None, dtype: str = "uint8"
) -> tf.Module:
    """Wrap a trained model for exporters, which see nothing of Keras.

    Args:
        model: functional or Sequential, of Keras's own layers, with one input of
            `(batch, height, width, 3)` whose height and width are fixed.
        batch_size: of the input; None for any.
        dtype: of the pixels: "uint8" or "float32".

    Returns:
        A module whose function `serve` takes `pixels` and returns `probabilities` in
        float32. Augmentation and dropout are gone, BatchNormalization is folded.

    Raises:
        ValueError: `model` is not such a model.
    """
    shape = check_pixel_model(model)
    network = fold_batch_norm(inference_model(model))
    module = tf.Module()
    # Of the model only its variables: with its layers this takes twice as long.
    module.weights = [variable.value for variable in network.variables]

    @tf.function(
        input_signature=[tf.TensorSpec((batch_size, *shape), dtype, name="pixels")]
    )
    def serve(pixels: Any) -> dict[str, Any]:
        floats = tf.cast(pixels, tf.float32)
        return {"probabilities": network(floats, training=False)}

    module.serve = serve
    return module


@contextmanager
def as_saved_model(module: tf.Module) -> Iterator[str]:
    """A temporary SavedModel of `pixel_module`, which TensorFlow's converters read."""
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, module.serve.get_concrete_function())
        yield folder
