"""Prediction with a finished run."""

from kerasdl.classification import (
    Predictions,
    Predictor,
    SplitPredictions,
    Submission,
    class_probabilities,
    ensemble,
    fit_thresholds,
    predict_split,
    threshold_report,
    tta,
    tta_model,
)

__all__ = [
    "Predictions",
    "Predictor",
    "SplitPredictions",
    "Submission",
    "class_probabilities",
    "ensemble",
    "fit_thresholds",
    "predict_split",
    "threshold_report",
    "tta",
    "tta_model",
]
