"""From a SavedModel to the bytes of a `.tflite` file that is proved."""

import re
import warnings

import numpy as np
import tensorflow as tf

from kerasdl.runtime import silenced

from .float_moves import with_float_moves
from .int8 import KeepFloat, convert_mixed, int8_converter
from .packing import with_arrays_once
from .runners import run_interpreter, tensors
from .signature import Arrays, Signature
from .tflite_file import (
    begins_with_scaling,
    with_byte_inputs,
    with_half_weights,
    with_true_reversals,
)

# Of the range of the model's answers, what int8 may cost in the mean: layers that it
# suits badly lose a quarter, a file that takes inputs for something else a third.
_MOST_DIFFERENCE = 0.3
# And at most, where the start is no plain scaling of the inputs.
_MOST_OF_ANY = 0.1
# Besides, of the output: answers that hardly differ are of a range of a few steps.
_STEPS = 8
Ranges = tuple[Arrays, Signature]  # samples that int8 finds them on, and their names
Proof = tuple[Arrays, Arrays]  # some samples, and what the model says of them


def to_tflite(
    folder: str,
    quantize: str | None = None,
    ranges: Ranges | None = None,
    keep_float: KeepFloat = (),
    select_tf_ops: bool = False,
    proof: Proof | None = None,
) -> bytes:
    """Convert, put right, and run.

    Args:
        folder: a SavedModel of `as_module`, widened for int8 that keeps nothing in
            float.
        quantize: as in `write_tflite`.
        ranges: of int8, which needs them; None of all else.
        keep_float: as in `write_tflite`, and so is the next one.
        select_tf_ops: see there.
        proof: what the file must answer; None does not run it.

    Raises:
        ValueError: the model cannot be converted so, or its file answers otherwise.
    """
    with silenced(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old interpreter, which TensorFlow brings
        try:
            if ranges is not None and keep_float:
                content = convert_mixed(folder, *ranges, keep_float)
            else:
                converter = _converter(folder, quantize, ranges)
                if select_tf_ops:
                    allowed = converter.target_spec.supported_ops
                    converter.target_spec.supported_ops = [
                        *allowed,
                        tf.lite.OpsSet.SELECT_TF_OPS,
                    ]
                content = converter.convert()
            content = with_true_reversals(content)
            if quantize == "int8":
                content = with_byte_inputs(content)
            if keep_float:
                content = with_half_weights(with_float_moves(content))
            if quantize == "dynamic":
                content = with_arrays_once(content)
            refusal = "" if proof is None else _differs(content, *proof)
        except (ValueError, MemoryError, OSError):
            raise
        except Exception as error:  # of a class that is not public
            refusal = _refusal(str(error))
    if refusal:
        raise ValueError(refusal)
    return content


def _converter(
    folder: str, quantize: str | None, ranges: Ranges | None
) -> tf.lite.TFLiteConverter:
    if ranges is not None:
        converter = int8_converter(folder, *ranges)
    else:
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if quantize is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
    return converter


def _refusal(error: str) -> str:
    """What to say where the converter fails."""
    if missing := re.search("(?:TF Select|Custom) ops: (.*)", error):
        return (
            "`model` must have operations that the plain TFLite interpreter can run. "
            f"Received: a model with {missing[1]}. `save_tflite` with "
            "select_tf_ops=True writes a file that needs TensorFlow's own (Flex)."
        )
    return (
        "`model` must have operations that TensorFlow's converter can take. Received: "
        f"a model of which it says {error.strip().splitlines()[0][:300]!r}. Leave out "
        "int8 where that was asked for, or build the model of other layers."
    )


def _differs(content: bytes, inputs: Arrays, expected: Arrays) -> str:
    """What to say where a file answers otherwise than its model, else ""."""
    lite = tf.lite.Interpreter(model_content=content)
    steps = {name: part["quantization"][0] for name, part in tensors(lite)[1].items()}
    found = run_interpreter(lite)(inputs)
    for name, wanted in expected.items():
        off = np.abs(found[name].astype("float64") - wanted)
        span = np.ptp(wanted)
        if len(wanted) == 1:  # whose answers may all be one number
            span = np.abs(wanted).max()
        rounding = _STEPS * (steps[name] or 1 / 256)
        difference, allowed = off.mean(), _MOST_DIFFERENCE * span + rounding
        if difference <= allowed and not begins_with_scaling(content):
            difference, allowed = off.max(), _MOST_OF_ANY * span + rounding
        if not difference <= allowed:
            return (
                "`model` must answer alike as a `.tflite` file. Received: answers that "
                f"are {difference:.3g} from its own on {len(wanted)} samples; "
                f"{allowed:.3g} is allowed. `quantization_errors` names what loses "
                "most in int8, and `keep_float` keeps it in float; a Rescaling suits "
                "int8 at the start."
            )
    return ""
