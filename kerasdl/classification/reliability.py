"""Calibration: how often an answer given with probability p is right."""

import numpy as np
import pandas as pd

from kerasdl._checks import check_positive_int


def reliability(
    confidences: np.ndarray, hits: np.ndarray, bins: int = 15
) -> pd.DataFrame:
    """Put answers into bins of equal width by the probability they were given with.

    Args:
        confidences: probabilities `(n,)` in [0, 1].
        hits: `(n,)`, whether each answer was right.
        bins: number of bins; a bin holds its upper edge, the first one 0 too.

    Returns:
        A row for each bin: `low`, `high`, `count`, and the means `confidence` and
        `accuracy`, NaN where the bin is empty.

    Raises:
        ValueError: an argument outside its range.

    Example:
        ```
        kd.interpret.reliability(np.array([0.9, 0.6]), np.array([True, False]), bins=2)
        ```
    """
    check_positive_int("bins", bins)
    confidences = np.asarray(confidences, "float64")
    hits = np.asarray(hits, "float64")
    if confidences.ndim != 1 or confidences.shape != hits.shape:
        raise ValueError(
            "`hits` must be one for each of `confidences`, which are (n,). Received: "
            f"hits of {hits.shape} for confidences of {confidences.shape}"
        )
    if not np.all((confidences >= 0) & (confidences <= 1)):
        raise ValueError(
            "`confidences` must be in [0, 1]. Received: values from "
            f"{confidences.min()} to {confidences.max()}"
        )
    edges = np.linspace(0, 1, bins + 1)
    places = np.searchsorted(edges[1:-1], confidences, side="left")
    counts = np.bincount(places, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(places, w, bins) / counts for w in (confidences, hits)]
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": counts,
            "confidence": means[0],
            "accuracy": means[1],
        }
    )


def expected_calibration_error(
    confidences: np.ndarray, hits: np.ndarray, bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy over the bins, weighted by their counts.

    0 is perfect; 0.05 means that answers are 5 percentage points surer, or less sure,
    than they are right. NaN without answers.

    Args:
        confidences: as in `reliability`.
        hits: as in `reliability`.
        bins: as in `reliability`.

    Raises:
        ValueError: an argument outside its range.

    Reference:
        https://arxiv.org/abs/1706.04599, equation 3

    Example:
        ```
        claimed, right = np.array([0.9, 0.6]), np.array([True, False])
        kd.interpret.expected_calibration_error(claimed, right)
        ```
    """
    table = reliability(confidences, hits, bins)
    gaps = (table["accuracy"] - table["confidence"]).abs().fillna(0)
    return float(gaps @ table["count"] / np.float64(len(hits)))
