"""What leaves, of any domain: writers, runners, and the proof of their files."""

from .answers import Batch, answers
from .export_files import export_files
from .export_proved import export_proved
from .files_report import ERRORS, PICTURE, REPORT, ExportError, files_table, save_rows
from .formats import CALIBRATED, EXACT, FILES, FORMATS, QUANTIZE, check_formats
from .keras_file import inference_model, save_inference_model
from .measurements import Entries, check_same, enough
from .metadata import Tables, with_metadata
from .onnx_file import write_onnx
from .operator_errors import operator_errors, worst_tensors
from .runners import run_keras, run_onnx, run_saved_model, run_tflite
from .saved_model import save_module, write_saved_model
from .signature import Arrays, Input, Runner, ServedModule, Signature, run_model
from .tflite import write_module_tflite, write_tflite
from .tflite_file import FEATURES, after_convolutions, with_dense_input
from .zipped_bytes import zipped_bytes

__all__ = [
    "CALIBRATED",
    "ERRORS",
    "EXACT",
    "FEATURES",
    "FILES",
    "FORMATS",
    "PICTURE",
    "QUANTIZE",
    "REPORT",
    "Arrays",
    "Batch",
    "Entries",
    "ExportError",
    "Input",
    "Runner",
    "ServedModule",
    "Signature",
    "Tables",
    "after_convolutions",
    "answers",
    "check_formats",
    "check_same",
    "enough",
    "export_files",
    "export_proved",
    "files_table",
    "inference_model",
    "operator_errors",
    "run_keras",
    "run_model",
    "run_onnx",
    "run_saved_model",
    "run_tflite",
    "save_inference_model",
    "save_module",
    "save_rows",
    "with_dense_input",
    "with_metadata",
    "worst_tensors",
    "write_module_tflite",
    "write_onnx",
    "write_saved_model",
    "write_tflite",
    "zipped_bytes",
]
