"""Prediction with a finished run."""

from .predictor import Predictions, Predictor, class_probabilities
from .tta import TTAPredictions, tta
from .tta_model import tta_model
