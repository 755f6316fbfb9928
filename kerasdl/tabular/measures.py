"""How far answers are off, in the target's own unit."""

from collections.abc import Callable
from typing import Any

import numpy as np


def exp_rmspe(truth: Any, answers: Any) -> float:
    """Root of the mean squared error as a share of the truth: the contest's measure.

    Of answers in the target's own unit. The lesson's `exp_rmspe` takes logarithms,
    hence its name, and gives the same.

    Args:
        truth: numbers, none of them 0.
        answers: as many.

    Raises:
        ValueError: the numbers are not as many, or a truth is 0.
    """
    truth, answers = _pair(truth, answers, no_zero=True)
    return float(np.sqrt(np.mean(((truth - answers) / truth) ** 2)))


def rmse(truth: Any, answers: Any) -> float:
    """Root of the mean squared error, in the target's unit."""
    truth, answers = _pair(truth, answers)
    return float(np.sqrt(np.mean((truth - answers) ** 2)))


def mae(truth: Any, answers: Any) -> float:
    """Mean absolute error, in the target's unit."""
    truth, answers = _pair(truth, answers)
    return float(np.mean(np.abs(truth - answers)))


def mape(truth: Any, answers: Any) -> float:
    """Mean absolute error as a share of the truth, none of which is 0."""
    truth, answers = _pair(truth, answers, no_zero=True)
    return float(np.mean(np.abs((truth - answers) / truth)))


def r2(truth: Any, answers: Any) -> float:
    """Share of the truth's variance that the answers explain; not above 1.

    It is NaN where the truth is one number.
    """
    truth, answers = _pair(truth, answers)
    total = np.sum((truth - truth.mean()) ** 2)
    if not total:
        return float("nan")
    return float(1 - np.sum((truth - answers) ** 2) / total)


MEASURES: dict[str, Callable[[Any, Any], float]] = {
    "rmse": rmse,
    "mae": mae,
    "r2": r2,
    "mape": mape,
    "exp_rmspe": exp_rmspe,
}


def measures(truth: Any, answers: Any) -> dict[str, float]:
    """All of them by name; those of shares only where no truth is 0."""
    truth = np.asarray(truth, "float64")
    shares = bool((truth != 0).all())
    return {
        name: measure(truth, answers)
        for name, measure in MEASURES.items()
        if shares or name not in ("mape", "exp_rmspe")
    }


def _pair(truth: Any, answers: Any, no_zero: bool = False) -> tuple[Any, Any]:
    truth = np.asarray(truth, "float64").ravel()
    answers = np.asarray(answers, "float64").ravel()
    if len(truth) != len(answers) or not len(truth):
        raise ValueError(
            "`truth` and `answers` must be as many, one at least. Received: "
            f"{len(truth)} and {len(answers)}"
        )
    if no_zero and not truth.all():
        raise ValueError(
            "`truth` must hold no 0, of which an error is no share. Received: "
            f"{int((truth == 0).sum())} of {len(truth)}"
        )
    return truth, answers
