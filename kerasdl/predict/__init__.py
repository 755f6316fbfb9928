"""Prediction with a finished run."""

from .predictor import Predictions, Predictor, class_probabilities
