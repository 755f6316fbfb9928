"""A `.tflite` file that takes the pixels of a picture."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._atomic import write_bytes
from kerasdl._checks import check_one_of, check_suffix, check_writable

from ._own_process import convert_guarded, is_known
from .conversion import Proof, to_tflite
from .int8 import check_calibration
from .pixel_function import check_pixel_model, pixel_module
from .tflite_file import with_labels

QUANTIZATIONS = (None, "float16", "dynamic", "int8")
_PHOTOS = 8  # of the calibration, on which an int8 file is proved


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
    scale that the file gives for its output (1/256 for softmax and sigmoid). An int8
    file has answered photos of the calibration as the model does before it is written.

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
            operations that the converter or the plain interpreter cannot take.
    """
    check_one_of("quantize", quantize, QUANTIZATIONS)
    check_writable("path", check_suffix("path", path, ".tflite"))
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
    proof = None
    # TensorFlow's own interpreter does not run the operations that it alone has.
    if not select_tf_ops and (quantize == "int8" or not is_known(module)):
        proof = _proof(module, calibration, shape)
    content = convert_guarded(
        *(module, to_tflite, quantize, calibration),
        *(list(keep_float), select_tf_ops, proof),
    )
    if class_names is not None:
        content = with_labels(content, class_names, model.name)
    write_bytes(path, content)


def _proof(
    module: tf.Module, calibration: np.ndarray | None, shape: tuple[int, int, int]
) -> Proof:
    """A few photos, evenly spread, or stripes, and what the model says of them."""
    pixels = np.resize(np.arange(256, dtype="uint8"), (1, *shape))
    if calibration is not None:
        chosen = np.linspace(0, len(calibration) - 1, min(_PHOTOS, len(calibration)))
        pixels = np.rint(calibration[chosen.astype(int)]).astype("uint8")
    dtype = module.serve.input_signature[0].dtype
    outputs = [
        module.serve(tf.cast(picture[None], dtype))["probabilities"][0].numpy()
        for picture in pixels
    ]
    if not np.isfinite(outputs).all():
        raise ValueError(
            "`model` must answer with numbers. Received: outputs that are none, of "
            f"{len(pixels)} pictures"
        )
    return pixels, np.array(outputs)
