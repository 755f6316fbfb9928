"""Which layers lose what when activations become int8."""

import io
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl._atomic import write_text
from kerasdl.runtime import silenced

from ._own_process import convert_guarded
from .int8 import check_calibration, int8_converter
from .signature import Arrays, Signature, as_module
from .tflite_file import input_names, with_true_reversals

_BAD = 0.5  # steps; rounding alone loses 1 / sqrt(12) of one, 0.29
_SAMPLES = 8  # on which the errors are measured


def operator_errors(
    model: keras.Model, signature: Signature, calibration: Arrays
) -> pd.DataFrame:
    """Compare each operator's int8 output with what it gives in float32.

    Each operator is given the same (int8) input for both, so that an error is its own.

    Args:
        model: as `write_tflite` takes it.
        signature: of the model.
        calibration: as `write_tflite` takes it; errors are measured on eight samples of
            it, evenly spread.

    Returns:
        A row for each operator, the worst first: `operator`, `tensor` (the name of its
        output, by which `write_tflite(keep_float=...)` of the same model knows it),
        `values`, `rmse` and `max_error` (in units of the output), `scale` (a step of
        int8) and `steps` (`rmse / scale`; rounding alone gives 0.29).

    Raises:
        ValueError: as by `write_tflite`.

    Reference:
        https://ai.google.dev/edge/litert/models/quantization_debugger
    """
    check_calibration(calibration, signature)
    module = as_module(model, signature, 1, widened=True)
    count = partial(_statistics, calibration=calibration, signature=signature)
    table = convert_guarded(module, count)
    rmse = np.sqrt(table["mean_squared_error"])
    found = pd.DataFrame(
        {
            "operator": table["op_name"],
            "tensor": table["tensor_name"],
            "values": table["num_elements"].astype(int),
            "rmse": rmse,
            "max_error": table["max_abs_error"],
            "scale": table["scale"],
            "steps": rmse / table["scale"],
        }
    )
    return found.sort_values("steps", ascending=False, ignore_index=True)


def worst_tensors(errors: pd.DataFrame) -> list[str]:
    """Of `operator_errors`, what loses clearly more than rounding; one at least."""
    count = max(1, int((errors["steps"] > _BAD).sum()))
    return errors["tensor"][:count].tolist()


def save_worst(errors: pd.DataFrame, path: Path) -> str:
    """Write `operator_errors` as a CSV file; returns a few lines of the worst."""
    write_text(path, errors.to_csv(index=False))
    worst = errors[["operator", "tensor", "steps"]].head(5).copy()
    worst["tensor"] = worst["tensor"].str.split(";").str[-1]
    return worst.to_string(index=False, float_format="{:.2f}".format)


def _statistics(folder: str, calibration: Arrays, signature: Signature) -> pd.DataFrame:
    """The debugger's table of the SavedModel in `folder`."""
    count = len(next(iter(calibration.values())))
    rows = np.linspace(0, count - 1, min(_SAMPLES, count)).astype(int)
    chosen = {name: values[rows] for name, values in calibration.items()}
    samples = signature.cast(chosen, "float32")

    def one_by_one() -> Iterator[list[np.ndarray]]:
        for number in range(len(rows)):
            yield [samples[name][number][None] for name in names]

    file = io.StringIO()
    with silenced(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old interpreter, which this needs
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=int8_converter(folder, calibration, signature)
        )
        content = with_true_reversals(debugger.get_debug_quantized_model())
        names = input_names(content)
        debugger = tf.lite.experimental.QuantizationDebugger(
            quant_debug_model_content=content, debug_dataset=one_by_one
        )
        debugger.run()
        debugger.layer_statistics_dump(file)
    file.seek(0)
    return pd.read_csv(file)
