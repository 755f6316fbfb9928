"""Scores of answers, class by class and averaged, by scikit-learn."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn import metrics

_METRICS = ("precision", "recall", "f1")


def scored_classes(truth: np.ndarray) -> np.ndarray:
    """Columns of `truth` `(n, classes)` that hold in some rows and not in all."""
    return np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))


def scores_per_class(
    truth: np.ndarray,
    answers: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
) -> pd.DataFrame:
    """A row for each class; all arrays are `(n, classes)`, the first two of bool."""
    photos, found = truth.sum(axis=0), (truth & answers).sum(axis=0)
    counts = {
        "photos": photos,
        "found": found,
        "missed": photos - found,
        "false_alarms": answers.sum(axis=0) - found,
    }
    table = pd.DataFrame(counts, index=pd.Index(class_names, name="class"))
    scores = metrics.precision_recall_fscore_support(truth, answers, zero_division=0)
    for name, values in zip(_METRICS, scores, strict=False):
        table[name] = np.where(photos > 0, values, np.nan)
    for name, score in (
        ("average_precision", metrics.average_precision_score),
        ("roc_auc", metrics.roc_auc_score),
    ):
        table[name] = np.nan
        for column in scored_classes(truth):
            value = score(truth[:, column], probabilities[:, column])
            table.iloc[column, table.columns.get_loc(name)] = value
    return table


def average_scores(
    truth: np.ndarray, answers: np.ndarray, multi_label: bool
) -> pd.DataFrame:
    """Rows macro (of the classes that hold anywhere), weighted, micro, and samples."""
    each = metrics.precision_recall_fscore_support(truth, answers, zero_division=0)
    present = truth.any(axis=0)
    scores = {"macro": [values[present].mean() for values in each[:3]]}
    for name in ("weighted", "micro", *(["samples"] if multi_label else [])):
        scores[name] = metrics.precision_recall_fscore_support(
            truth, answers, average=name, zero_division=0
        )[:3]
    return pd.DataFrame.from_dict(scores, orient="index", columns=list(_METRICS))
