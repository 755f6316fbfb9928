"""A `.tflite` file that takes the pixels of a picture."""

import re
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._atomic import write_bytes
from kerasdl._checks import check_one_of
from kerasdl.runtime import silenced

from .int8 import check_calibration, convert_mixed, int8_converter
from .pixel_function import as_saved_model, check_pixel_model, pixel_module
from .tflite_file import with_half_weights, with_labels, with_true_reversals

QUANTIZATIONS = (None, "float16", "dynamic", "int8")


def save_tflite(
    model: keras.Model,
    path: str | Path,
    quantize: str | None = None,
    calibration: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    *,
    keep_float: Sequence[str] = (),
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
        keep_float: for "int8": names of the tensors, as `quantization_errors` has them,
            that stay float32, with weights in float16.
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
    shape = check_pixel_model(model, class_names)
    if quantize == "int8":
        check_calibration(calibration, shape)
    elif keep_float:
        raise ValueError(
            "`keep_float` must be empty without quantize='int8'. Received: "
            f"keep_float={list(keep_float)!r}"
        )
    if keep_float and select_tf_ops:
        raise ValueError(
            "`select_tf_ops` must be False with `keep_float`. Received: "
            "select_tf_ops=True"
        )
    # The converter itself makes uint8 of the float32 input of an int8 file.
    is_int8 = quantize == "int8" and not keep_float
    module = pixel_module(model, 1, "float32" if is_int8 else "uint8")
    content = missing = None
    with silenced(), as_saved_model(module) as folder:
        try:
            if keep_float:
                content = convert_mixed(folder, calibration, keep_float)
            else:
                converter = _converter(folder, quantize, calibration, select_tf_ops)
                content = converter.convert()
        except Exception as error:
            # The exception is not public.
            missing = re.search("(?:TF Select|Custom) ops: (.*)", str(error))
            if not missing:
                raise
    if missing:
        raise ValueError(
            "`model` must have operations that the plain TFLite interpreter can run. "
            f"Received: a model with {missing[1]}. `save_tflite` with "
            "select_tf_ops=True writes a file that needs TensorFlow's own (Flex)."
        )
    content = with_true_reversals(content)
    if keep_float:
        content = with_half_weights(content)
    if class_names is not None:
        content = with_labels(content, class_names, model.name)
    write_bytes(path, content)


def _converter(
    folder: str,
    quantize: str | None,
    calibration: np.ndarray | None,
    select_tf_ops: bool,
) -> tf.lite.TFLiteConverter:
    if quantize == "int8":
        converter = int8_converter(folder, calibration)
    else:
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantize is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
    if select_tf_ops:
        allowed = [*converter.target_spec.supported_ops, tf.lite.OpsSet.SELECT_TF_OPS]
        converter.target_spec.supported_ops = allowed
    return converter
