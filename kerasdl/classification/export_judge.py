"""How well a file answers as the Keras model does, and as the labels say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerasdl.artefacts import Arrays

from .outputs import class_probabilities
from .predict_split import SplitPredictions


def judge(expected: Arrays, found: Arrays, labels: Sequence[Any]) -> dict[str, Any]:
    """The row of a file in the report.

    Args:
        expected: `probabilities` of the Keras model, as it returns them.
        found: those of the file.
        labels: the true class of each photo, an index or 0 and 1 for each class.

    Returns:
        `photos` (how many there are), `accuracy`, `accuracy_drop` (below that of the
        model), `agreement` (share of photos whose answer is the model's, in [0, 1]),
        `max_difference` and `mean_difference` (of a probability).
    """
    ours, theirs = (_predictions(answers, labels) for answers in (found, expected))
    difference = np.abs(ours.probabilities - theirs.probabilities)
    if np.ndim(labels) == 2:
        same = ((ours.probabilities > 0.5) == (theirs.probabilities > 0.5)).all(1)
    else:
        same = ours.probabilities.argmax(1) == theirs.probabilities.argmax(1)
    return {
        "photos": len(labels),
        "accuracy": ours.accuracy,
        "accuracy_drop": theirs.accuracy - ours.accuracy,
        "agreement": float(same.mean()),
        "max_difference": float(difference.max()),
        "mean_difference": float(difference.mean()),
    }


def _predictions(answers: Arrays, labels: Sequence[Any]) -> SplitPredictions:
    probabilities = class_probabilities(answers["probabilities"].astype("float32"))
    return SplitPredictions([], np.array(labels), probabilities)
