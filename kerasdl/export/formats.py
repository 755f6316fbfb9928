"""The formats that leave: which file each is, how it is written and run."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from .keras_file import save_inference_model
from .onnx_file import save_onnx
from .quantization_errors import quantization_errors, worst_tensors
from .runners import Runner, run_keras, run_onnx, run_saved_model, run_tflite
from .saved_model import save_saved_model
from .tflite import save_tflite

FILES = {
    "keras": "model.keras",
    "saved_model": "saved_model",
    "tflite": "model.tflite",
    "tflite_fp16": "model_fp16.tflite",
    "tflite_dynamic": "model_dynamic.tflite",
    "tflite_int8": "model_int8.tflite",
    "onnx": "model.onnx",
    "tflite_mixed": "model_mixed.tflite",
}
FORMATS = tuple(FILES)[:-1]  # the last is for models that lose too much in int8
QUANTIZE = {
    "tflite": None,
    "tflite_fp16": "float16",
    "tflite_dynamic": "dynamic",
    "tflite_int8": "int8",
    "tflite_mixed": "int8",
}
CALIBRATED = ("tflite_int8", "tflite_mixed")
_THREADS = 2


def write_format(
    name: str,
    model: keras.Model,
    path: Path,
    class_names: Sequence[str],
    resize: str,
    calibration: np.ndarray | None,
) -> None:
    """Write `model` to `path` in one of the formats of `FILES`."""
    if name == "keras":
        save_inference_model(model, path)
    elif name == "saved_model":
        save_saved_model(model, path, class_names, resize)
    elif name == "onnx":
        save_onnx(model, path, class_names)
    else:
        photos = calibration if name in CALIBRATED else None
        keep: Sequence[str] = ()
        if name == "tflite_mixed":
            keep = worst_tensors(quantization_errors(model, calibration))
        save_tflite(model, path, QUANTIZE[name], photos, class_names, keep_float=keep)


def run_format(name: str, path: Path) -> Runner:
    """A function from pixels to probabilities by the file at `path`."""
    if name in QUANTIZE:
        return run_tflite(path, _THREADS)
    run = {"keras": run_keras, "saved_model": run_saved_model, "onnx": run_onnx}[name]
    return run(path)
