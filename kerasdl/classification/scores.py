"""How good the outputs of a classifier are, and what a plain one reaches."""

import warnings
from collections.abc import Mapping

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from .outputs import class_probabilities

_C = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2)


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Share of rows of `outputs`, `(n, 1)` or `(n, classes)`, that are right."""
    return float(np.mean(class_probabilities(outputs).argmax(axis=1) == labels))


def cross_entropy(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Minus the logarithm of what each row of `outputs` gives to its label, in nats.

    Args:
        outputs: probabilities, `(n, 1)` of the second class or `(n, classes)`.
        labels: class of each row.

    Returns:
        `(n,)`; of probabilities below 1e-7, as in Keras, that of 1e-7.
    """
    probabilities = class_probabilities(outputs)[np.arange(len(labels)), labels]
    return -np.log(np.maximum(probabilities, 1e-7))


def clearly_lower(losses: np.ndarray, others: np.ndarray) -> bool:
    """Whether the mean of `losses` is lower by more than chance would have it.

    By more than a standard error of the differences: of few photos the best of some
    epochs is often lower by luck.

    Args:
        losses: of photos, `(n,)`.
        others: of the same photos.
    """
    gains = others - losses
    error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.inf
    return bool(gains.mean() > error)


def logistic_baseline(
    features: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """What scikit-learn's LogisticRegression reaches on pooled features.

    Its C is the decade from 0.001 to 100 that has most validation photos right; of
    equal ones the smallest.

    Args:
        features: `(photos, features)` of "train", "valid" and perhaps "test".
        labels: the class of each photo, by split.

    Returns:
        `C`, and the accuracy on each split but "train".
    """
    best: dict[str, float] = {}
    for c in _C:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=c, max_iter=200)
            model.fit(features["train"], labels["train"])
        scores = {
            split: float(model.score(features[split], labels[split]))
            for split in features
            if split != "train"
        }
        if not best or scores["valid"] > best["valid"]:
            best = {"C": c, **scores}
    return best
