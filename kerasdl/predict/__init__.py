"""Prediction with a finished run."""

from .ensemble import ensemble
from .predict_split import SplitPredictions, predict_split
from .predictor import Predictions, Predictor, class_probabilities
from .submission import Submission
from .thresholds import fit_thresholds, threshold_report
from .tta import tta
from .tta_model import tta_model
