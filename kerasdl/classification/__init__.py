"""Which class a picture has."""

from .calibration import calibration_photos
from .export_report import ExportReport
from .export_run import export_run
from .file_costs import file_costs
from .files import quantization_errors, save_onnx, save_saved_model, save_tflite
from .learner import Learner
from .precompute import ActivationData, check_callbacks_above, precompute
from .run_readme import run_readme
from .split_evaluation import SplitEvaluation
from .tensorboard_images import TensorBoardImages
from .tta_evaluation import TTAEvaluation
