"""A `.tflite` file of a model."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasdl._atomic import write_bytes
from kerasdl._checks import check_one_of, check_suffix, check_writable

from ._own_process import convert_guarded, is_known
from .conversion import Proof, to_tflite
from .int8 import KeepFloat, check_calibration
from .signature import Arrays, ServedModule, Signature, as_module

QUANTIZATIONS = (None, "float16", "dynamic", "int8")
_SAMPLES = 8  # of the calibration, on which an int8 file is proved


def write_tflite(
    model: keras.Model,
    path: str | Path,
    signature: Signature,
    quantize: str | None = None,
    calibration: Arrays | None = None,
    *,
    keep_float: KeepFloat = (),
    select_tf_ops: bool = False,
    compared: Collection[str] | None = None,
    finish: Callable[[bytes], bytes] | None = None,
) -> None:
    """Write a trained model as a `.tflite` file, whole or not at all.

    The file takes one sample, `(1, ...)`, and returns what the model returns for it;
    with "int8", where all it takes is uint8, in uint8, to be multiplied by the scale
    that the file gives. An int8 file has answered samples of the calibration as the
    model does before it is written.

    Args:
        model: functional or Sequential, of Keras's own layers.
        path: the file, ending in `.tflite`.
        signature: what the file takes and returns.
        quantize: None; "float16" for weights of half the bytes; "dynamic" for int8
            weights; "int8" for int8 weights and activations.
        calibration: for "int8": samples by the names of the inputs, on which the ranges
            of the activations are found; a hundred are enough.
        keep_float: for "int8": names of the tensors, as `operator_errors` has them,
            that stay float32, with weights in float16; or a function that finds them in
            the content of a `.tflite` file, such as `after_convolutions`.
        select_tf_ops: let operations in that only TensorFlow itself can run: the plain
            interpreter then refuses the file.
        compared: outputs by which a file is proved before it is written; None takes
            all. Answers of equal rank may change places: what stands beside the rank is
            no proof then.
        finish: what else is done to the content of the file.

    Raises:
        ValueError: an argument is none of these, or `model` has operations that the
            converter or the plain interpreter cannot take.
    """
    check_one_of("quantize", quantize, QUANTIZATIONS)
    check_writable("path", check_suffix("path", path, ".tflite"))
    signature.check(model)
    ranges = None
    if quantize == "int8":
        ranges = check_calibration(calibration, signature), signature
    elif keep_float:
        raise ValueError(
            "`keep_float` must be empty without quantize='int8'. Received: "
            f"{keep_float=}"
        )
    if keep_float and select_tf_ops:
        raise ValueError(
            "`select_tf_ops` must be False with `keep_float`. Received: "
            "select_tf_ops=True"
        )
    # The converter itself makes uint8 of the float32 inputs of an int8 file.
    widened = quantize == "int8" and not keep_float
    module = as_module(model, signature, 1, widened=widened)
    proof = None
    # TensorFlow's own interpreter does not run the operations that it alone has.
    if not select_tf_ops and (quantize == "int8" or not is_known(module)):
        proof = _proof(module, calibration, signature, compared)
    convert = partial(
        to_tflite,
        quantize=quantize,
        ranges=ranges,
        keep_float=keep_float,
        select_tf_ops=select_tf_ops,
        proof=proof,
    )
    content = convert_guarded(module, convert, in_float32=quantize is None)
    write_bytes(path, finish(content) if finish else content)


def write_module_tflite(module: ServedModule, path: str | Path) -> None:
    """Write a module as a `.tflite` file, whole or not at all; it is not proved.

    Args:
        module: whose `serve`, a `tf.function` with an input signature of fixed shapes,
            is the signature; it holds the variables.
        path: the file, ending in `.tflite`.

    Raises:
        ValueError: `path` ends otherwise, or the module has operations that the
            converter or the plain interpreter cannot take.
    """
    check_writable("path", check_suffix("path", path, ".tflite"))
    write_bytes(path, convert_guarded(module, to_tflite, in_float32=True))


def _proof(
    module: ServedModule,
    calibration: Arrays | None,
    signature: Signature,
    compared: Collection[str] | None,
) -> Proof:
    """A few samples, evenly spread, or one made up, and what the model says of them."""
    if calibration is None:
        inputs = {name: _made_up(*spec) for name, spec in signature.inputs.items()}
    else:
        count = len(next(iter(calibration.values())))
        rows = np.linspace(0, count - 1, min(_SAMPLES, count)).astype(int)
        chosen = {name: values[rows] for name, values in calibration.items()}
        inputs = signature.cast(chosen)
    outputs: dict[str, list[np.ndarray]] = {name: [] for name in signature.outputs}
    for number in range(len(next(iter(inputs.values())))):
        given = [
            tf.cast(inputs[spec.name][number][None], spec.dtype)
            for spec in module.serve.input_signature
        ]
        for name, tensor in module.serve(*given).items():
            outputs[name].append(tensor[0].numpy())
    expected = {name: np.array(parts) for name, parts in outputs.items()}
    if not all(np.isfinite(parts).all() for parts in expected.values()):
        raise ValueError(
            "`model` must answer with numbers. Received: outputs that are none, of "
            f"{number + 1} samples"
        )
    if compared is not None:
        expected = {name: expected[name] for name in compared}
    return inputs, expected


def _made_up(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """One sample: stripes of all bytes, or zeros."""
    if dtype == "uint8":
        return np.resize(np.arange(256, dtype="uint8"), (1, *shape))
    return np.zeros((1, *shape), dtype)
