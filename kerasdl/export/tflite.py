"""A `.tflite` file that takes the pixels of a picture."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._atomic import write_bytes
from kerasdl._checks import check_one_of
from kerasdl.runtime import silenced

from .pixel_function import as_saved_model, check_pixel_model, pixel_module
from .tflite_file import with_labels, with_true_reversals

QUANTIZATIONS = (None, "float16", "dynamic", "int8")


def save_tflite(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    calibration: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    *,
    select_tf_ops: bool = False,
) -> None:
    """Write a trained model as a `.tflite` file, whole or not at all.

    The file takes one picture, uint8 `(1, height, width, 3)`, and returns what the
    model returns for it: in float32, or with "int8" in uint8, to be multiplied by the
    scale that the file gives for its output (1/256 for softmax and sigmoid).

    Args:
        model: functional or Sequential, of Keras's own layers, with one input of
            `(batch, height, width, 3)` whose height and width are fixed.
        path: the file, ending in `.tflite`.
        quantize: None; "float16" for weights of half the bytes; "dynamic" for int8
            weights; "int8" for int8 weights and activations.
        calibration: for "int8": pixels `(n, height, width, 3)` in [0, 255] of photos of
            all classes, on which the ranges of the activations are found; a hundred
            are enough.
        class_names: in output order; in the file's metadata then, and in a `labels.txt`
            that can be unzipped from it.
        select_tf_ops: let operations in that only TensorFlow itself can run: the plain
            interpreter then refuses the file.

    Raises:
        ValueError: an argument is none of these, `model` is not such a model, or it has
            operations that the plain interpreter cannot run.
    """
    check_one_of("quantize", quantize, QUANTIZATIONS)
    if Path(path).suffix != ".tflite":
        raise ValueError(f"`path` must end in .tflite. Received: path={str(path)!r}")
    shape = check_pixel_model(model)
    if quantize == "int8":
        _check_calibration(calibration, shape)
    # The converter itself makes uint8 of a quantised float32 input.
    dtype = "float32" if quantize == "int8" else "uint8"
    content = missing = None
    with silenced(), as_saved_model(pixel_module(model, 1, dtype)) as folder:
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        _configure(converter, quantize, calibration, select_tf_ops)
        try:
            content = converter.convert()
        except Exception as error:
            # The exception is not public.
            missing = re.search("(?:TF Select|Custom) ops: (.*)", str(error))
            if not missing:
                raise
    if missing:
        raise ValueError(
            "`model` must have operations that the plain TFLite interpreter can run. "
            f"Received: a model with {missing[1]}. A file made with select_tf_ops=True "
            "needs TensorFlow's own operations (Flex)."
        )
    content = with_true_reversals(content)
    if class_names is not None:
        content = with_labels(content, class_names, model.name)
    write_bytes(path, content)


def _check_calibration(pixels: np.ndarray | None, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless `pixels` are photos of `shape`, of more than one."""
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.shape[1:] != tuple(shape)
        or len(pixels) < 2
        or not 0 <= pixels.min() < pixels.max() <= 255
        or pixels.max() <= 1
    ):
        received = (
            f"an array {pixels.shape} from {pixels.min()} to {pixels.max()}"
            if isinstance(pixels, np.ndarray) and pixels.size
            else repr(pixels)
        )
        raise ValueError(
            f"`calibration` must be pixels (n, {', '.join(map(str, shape))}) in [0, "
            f"255] of photos of all classes with quantize='int8'. Received: {received}"
        )


def _configure(
    converter: tf.lite.TFLiteConverter,
    quantize: str | None,
    calibration: np.ndarray | None,
    select_tf_ops: bool,
) -> None:
    if quantize is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    operations = tf.lite.OpsSet.TFLITE_BUILTINS
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize == "int8":
        operations = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
        converter.representative_dataset = partial(_one_by_one, calibration)
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    converter.target_spec.supported_ops = [operations]
    if select_tf_ops:
        converter.target_spec.supported_ops.append(tf.lite.OpsSet.SELECT_TF_OPS)


def _one_by_one(pixels: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """Batches of one, of which the first has a black and a white corner.

    So the range of the input is [0, 255], and its uint8 values are pixels.
    """
    for number, picture in enumerate(pixels.astype("float32")):
        if number == 0:
            picture[0, 0], picture[-1, -1] = 0, 255
        yield {"pixels": picture[None]}
