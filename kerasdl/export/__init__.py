"""What leaves: plain files for other programs, proved, and how to use them."""

from .calibration import calibration_photos
from .export_report import ExportError, ExportReport
from .export_run import export_run
from .file_costs import file_costs
from .formats import FORMATS
from .keras_file import save_inference_model
from .onnx_file import save_onnx
from .quantization_errors import quantization_errors
from .run_readme import run_readme
from .saved_model import save_saved_model
from .tflite import save_tflite
from .zipped_bytes import zipped_bytes
