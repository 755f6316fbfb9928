"""Which layers lose what when activations become int8."""

import io
import warnings
from collections.abc import Iterator

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl.runtime import silenced

from ._own_process import convert_guarded
from .int8 import check_calibration, int8_converter
from .pixel_function import check_pixel_model, pixel_module
from .tflite_file import with_true_reversals

_BAD = 0.5  # steps; rounding alone loses 1 / sqrt(12) of one, 0.29
_PHOTOS = 8  # on which the errors are measured


def quantization_errors(model: keras.Model, calibration: np.ndarray) -> pd.DataFrame:
    """Compare each operator's int8 output with what it gives in float32.

    Each operator is given the same (int8) input for both, so that an error is its own.

    Args:
        model: as `save_tflite` takes it.
        calibration: as `save_tflite` takes it; errors are measured on eight photos of
            it, evenly spread.

    Returns:
        A row for each operator, the worst first: `operator`, `tensor` (the name of its
        output, by which `save_tflite(keep_float=...)` of the same model knows it),
        `values`, `rmse` and `max_error` (in units of the output), `scale` (a step of
        int8) and `steps` (`rmse / scale`; rounding alone gives 0.29).

    Raises:
        ValueError: as by `save_tflite`.

    Reference:
        https://ai.google.dev/edge/litert/models/quantization_debugger
    """
    check_calibration(calibration, check_pixel_model(model))
    module = pixel_module(model, 1, "float32")
    table = convert_guarded(module, _statistics, calibration)
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
    """Of `quantization_errors`, what loses clearly more than rounding; one at least."""
    count = max(1, int((errors["steps"] > _BAD).sum()))
    return errors["tensor"][:count].tolist()


def _statistics(folder: str, calibration: np.ndarray) -> pd.DataFrame:
    """The debugger's table of the SavedModel in `folder`."""
    chosen = np.linspace(0, len(calibration) - 1, min(_PHOTOS, len(calibration)))
    photos = calibration[chosen.astype(int)].astype("float32")

    def one_by_one() -> Iterator[list[np.ndarray]]:
        for picture in photos:
            yield [picture[None]]

    file = io.StringIO()
    with silenced(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old interpreter, which this needs
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=int8_converter(folder, calibration)
        )
        content = with_true_reversals(debugger.get_debug_quantized_model())
        debugger = tf.lite.experimental.QuantizationDebugger(
            quant_debug_model_content=content, debug_dataset=one_by_one
        )
        debugger.run()
        debugger.layer_statistics_dump(file)
    file.seek(0)
    return pd.read_csv(file)
