"""Callbacks for `fit`."""

from .tta_evaluation import TTAEvaluation
