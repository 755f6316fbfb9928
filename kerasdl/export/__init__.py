"""What leaves: plain files for other programs, proved, and how to use them."""

from kerasdl.artefacts import (
    FORMATS,
    ExportError,
    save_inference_model,
    zipped_bytes,
)
from kerasdl.classification import (
    ExportReport,
    calibration_photos,
    export_run,
    file_costs,
    quantization_errors,
    run_readme,
    save_onnx,
    save_saved_model,
    save_tflite,
)

__all__ = [
    "ExportError",
    "ExportReport",
    "FORMATS",
    "calibration_photos",
    "export_run",
    "file_costs",
    "quantization_errors",
    "run_readme",
    "save_inference_model",
    "save_onnx",
    "save_saved_model",
    "save_tflite",
    "zipped_bytes",
]
