"""Which class a picture has."""

from .calibration import calibration_photos
from .compile_classifier import compile_classifier
from .confusion import confused_part, most_confused, similarity_order
from .crop_to_heat import HeatCrop, crop_to_heat
from .curves import save_calibration, save_precision_recall, save_roc
from .distill import ProbabilityDistillation, distiller
from .ensemble import ensemble
from .export_report import ExportReport
from .export_run import export_run
from .fbeta import FBeta
from .file_costs import file_costs
from .files import quantization_errors, save_onnx, save_saved_model, save_tflite
from .fine_tune import fine_tune
from .gallery import gallery, headline, save_gallery
from .grad_cam import grad_cam
from .learner import Learner
from .likeness import Likeness, with_features
from .linear_head import LinearHead, fit_linear_head
from .loss import classification_loss, classification_metrics
from .occlusion_map import occlusion_map
from .outputs import are_unsure, class_probabilities
from .precompute import ActivationData, check_callbacks_above, precompute
from .predict_split import SplitPredictions, predict_split
from .predictor import Predictions, Predictor
from .reliability import expected_calibration_error, reliability
from .report import ClassificationReport
from .report_page import save_report
from .run_readme import run_readme
from .scores import accuracy, clearly_lower, cross_entropy, logistic_baseline
from .split_evaluation import SplitEvaluation
from .submission import Submission
from .taught_photos import TaughtPhotos
from .temperature import best_temperature, soften
from .tensorboard_images import TensorBoardImages
from .thresholds import fit_thresholds, threshold_report
from .tta import tta
from .tta_evaluation import TTAEvaluation
from .tta_model import tta_model

__all__ = [
    "ActivationData",
    "ClassificationReport",
    "ExportReport",
    "FBeta",
    "HeatCrop",
    "Learner",
    "Likeness",
    "LinearHead",
    "Predictions",
    "Predictor",
    "ProbabilityDistillation",
    "SplitEvaluation",
    "SplitPredictions",
    "Submission",
    "TTAEvaluation",
    "TaughtPhotos",
    "TensorBoardImages",
    "accuracy",
    "are_unsure",
    "best_temperature",
    "calibration_photos",
    "check_callbacks_above",
    "class_probabilities",
    "classification_loss",
    "classification_metrics",
    "clearly_lower",
    "compile_classifier",
    "confused_part",
    "crop_to_heat",
    "cross_entropy",
    "distiller",
    "ensemble",
    "expected_calibration_error",
    "export_run",
    "file_costs",
    "fine_tune",
    "fit_linear_head",
    "fit_thresholds",
    "gallery",
    "grad_cam",
    "headline",
    "logistic_baseline",
    "most_confused",
    "occlusion_map",
    "precompute",
    "predict_split",
    "quantization_errors",
    "reliability",
    "run_readme",
    "save_calibration",
    "save_gallery",
    "save_onnx",
    "save_precision_recall",
    "save_report",
    "save_roc",
    "save_saved_model",
    "save_tflite",
    "similarity_order",
    "soften",
    "threshold_report",
    "tta",
    "tta_model",
    "with_features",
]
