"""Which class a picture has."""

from .calibration import calibration_photos
from .compile_classifier import compile_classifier
from .distill import ProbabilityDistillation, distiller
from .export_report import ExportReport
from .export_run import export_run
from .fbeta import FBeta
from .file_costs import file_costs
from .files import quantization_errors, save_onnx, save_saved_model, save_tflite
from .learner import Learner
from .linear_head import LinearHead, fit_linear_head
from .loss import classification_loss, classification_metrics
from .precompute import ActivationData, check_callbacks_above, precompute
from .run_readme import run_readme
from .scores import accuracy, clearly_lower, cross_entropy, logistic_baseline
from .split_evaluation import SplitEvaluation
from .taught_photos import TaughtPhotos
from .tensorboard_images import TensorBoardImages
from .tta_evaluation import TTAEvaluation
