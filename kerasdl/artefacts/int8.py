"""Converters that make activations int8."""

import string
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import tensorflow as tf

from .signature import Arrays, Signature
from .tflite_file import output_names

# Names of tensors that stay float32, or what finds them in the content of a file.
KeepFloat = Sequence[str] | Callable[[bytes], Sequence[str]]


def check_calibration(calibration: Arrays | None, signature: Signature) -> Arrays:
    """Return samples for each input; raise ValueError unless there are two or more."""
    calibration = calibration or {}
    shapes = {
        name: np.shape(calibration[name]) if name in calibration else ()
        for name in signature.inputs
    }
    fits = all(
        shapes[name][1:] == tuple(spec.shape) and shapes[name][:1] > (1,)
        for name, spec in signature.inputs.items()
    )
    if not fits:
        raise ValueError(
            "`calibration` must have two samples or more for each of "
            f"{list(signature.inputs)} for int8. Received: arrays of {shapes}"
        )
    return calibration


def int8_converter(
    folder: str, calibration: Arrays, signature: Signature
) -> tf.lite.TFLiteConverter:
    """A converter of the SavedModel in `folder`, of widened inputs, to int8.

    What it makes takes and returns uint8 where `signature` takes nothing else.
    """
    converter = _converter(folder, calibration, signature, "float32")
    if all(spec.dtype == "uint8" for spec in signature.inputs.values()):
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    return converter


def convert_mixed(
    folder: str,
    calibration: Arrays,
    signature: Signature,
    keep_float: KeepFloat,
) -> bytes:
    """Convert the SavedModel in `folder`, of inputs as they are, to int8 in part.

    What is made takes what `signature` says and returns float32; the operators whose
    outputs `keep_float` names stay float32.

    Raises:
        ValueError: a name is none of its tensors', or nothing is left to become int8.
    """
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=_converter(folder, calibration, signature, "uint8")
    )
    if callable(keep_float):
        keep_float = keep_float(debugger.calibrated_model)
    # The numbers at the end of names are not the same in all of its models.
    kept = {name.rstrip(string.digits) for name in keep_float}
    names = output_names(debugger.calibrated_model)
    if unknown := kept - {name.rstrip(string.digits) for name in names}:
        raise ValueError(
            "`keep_float` must be names of tensors as `quantization_errors` has them. "
            f"Received: {', '.join(sorted(unknown))}"
        )
    options = tf.lite.experimental.QuantizationDebugOptions(
        denylisted_nodes=[name for name in names if name.rstrip(string.digits) in kept]
    )
    try:
        debugger.options = options
    except ValueError as error:
        raise ValueError(
            "`keep_float` must leave an operator that becomes int8. Received: "
            f"keep_float={list(keep_float)!r}"
        ) from error
    return debugger.get_nondebug_quantized_model()


def _converter(
    folder: str, calibration: Arrays, signature: Signature, byte: str
) -> tf.lite.TFLiteConverter:
    """A converter that finds its ranges on samples.

    The first of those in bytes has a 0 and a 255 at its ends: so the range of the input
    is [0, 255], and its uint8 values are themselves.
    """
    samples = signature.cast(calibration, byte)
    for name, spec in signature.inputs.items():
        if spec.dtype == "uint8":
            axes, first = max(len(spec.shape) - 1, 1), samples[name][0]
            first[(0,) * axes], first[(-1,) * axes] = 0, 255
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = partial(_one_by_one, samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter


def _one_by_one(samples: Arrays) -> Iterator[Arrays]:
    for number in range(len(next(iter(samples.values())))):
        yield {name: values[number][None] for name, values in samples.items()}
