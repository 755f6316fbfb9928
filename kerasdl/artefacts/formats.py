"""The formats that leave: which file each is, and how it is run."""

from collections.abc import Sequence
from pathlib import Path

from kerasdl._checks import check_one_of
from kerasdl._file_names import MODEL, MODEL_TFLITE
from kerasdl._optional import require

from .runners import run_keras, run_onnx, run_saved_model, run_tflite
from .signature import Runner, Signature

FILES = {
    "keras": MODEL,
    "saved_model": "saved_model",
    "tflite": MODEL_TFLITE,
    "tflite_fp16": "model_fp16.tflite",
    "tflite_dynamic": "model_dynamic.tflite",
    "tflite_int8": "model_int8.tflite",
    "onnx": "model.onnx",
    "tflite_mixed": "model_mixed.tflite",
    "mediapipe": "model_mediapipe.tflite",
}
# Without those of some models alone: of what loses too much in int8, of detectors.
FORMATS = tuple(FILES)[:7]
QUANTIZE = {
    "tflite": None,
    "tflite_fp16": "float16",
    "tflite_dynamic": "dynamic",
    "tflite_int8": "int8",
    "tflite_mixed": "int8",
    "mediapipe": None,
}
CALIBRATED = ("tflite_int8", "tflite_mixed")
# Files whose numbers are not rounded: they answer as the Keras model does.
EXACT = ("keras", "saved_model", "tflite", "onnx")
_THREADS = 2


def check_formats(formats: Sequence[str], known: Sequence[str]) -> None:
    """Raise before any work.

    Raises:
        ImportError: what writes and runs them is not installed.
        ValueError: there are none, or one is not of `known`.
    """
    if not formats:
        raise ValueError("`formats` must name at least one. Received: formats=[]")
    for name in formats:
        check_one_of("formats", name, known)
    if any(name in QUANTIZE for name in formats):
        require("ai_edge_litert", "export")
    if "onnx" in formats:
        require("tf2onnx", "export")
        require("onnxruntime", "export")


def run_format(name: str, path: Path, signature: Signature) -> Runner:
    """The file of a format at `path` as a function."""
    if name in QUANTIZE:
        return run_tflite(path, _THREADS)
    if name == "keras":
        return run_keras(path, signature)
    return {"saved_model": run_saved_model, "onnx": run_onnx}[name](path)
