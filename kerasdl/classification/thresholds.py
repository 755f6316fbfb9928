"""A threshold for each label: fitted on one split, reported on another."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from sklearn.metrics import fbeta_score

from kerasdl._checks import check_one_of

AVERAGES = ("samples", "macro", "micro")
_ALL = -1e-6  # below every probability, 0 included; also in float32


def fit_thresholds(
    probabilities: np.ndarray,
    labels: np.ndarray,
    beta: float = 2.0,
    average: str = "samples",
    max_rounds: int = 20,
) -> np.ndarray:
    """Find for each class the threshold above which its label is predicted.

    "macro" is the mean over classes, so that each class has its best threshold by
    itself. For "samples" and "micro" the search goes from class to class, each time to
    the best threshold of one while the others stay, until a round changes nothing; it
    begins at 0.5. Of equally good thresholds the one nearest to 0.5 is taken.

    The score on the photos that thresholds were fitted on is too good: look at other
    photos by `threshold_report`.

    Args:
        probabilities: `(n, classes)`, in [0, 1].
        labels: multi-hot `(n, classes)` of 0 and 1.
        beta: weight of recall against precision, above 0.
        average: "samples", "macro" or "micro", as in `FBeta`.
        max_rounds: limit of the rounds over all classes.

    Returns:
        Thresholds `(classes,)`, for `probabilities > thresholds`. 1 predicts a label
        never; one just below 0 predicts it always.

    Raises:
        ValueError: arrays that do not fit, or an argument outside its range.

    Example:
        ```
        truth = np.array([[1, 0], [1, 1], [0, 1]])
        guesses = np.array([[0.6, 0.2], [0.4, 0.3], [0.1, 0.4]])
        kd.predict.fit_thresholds(guesses, truth, beta=1)
        ```
    """
    truth = _check(probabilities, labels)
    check_one_of("average", average, AVERAGES)
    if not 0 < beta < np.inf:
        raise ValueError(f"`beta` must be above 0. Received: beta={beta!r}")
    probabilities = np.asarray(probabilities, float)
    cuts = [_Cuts(column) for column in probabilities.T]
    thresholds = np.full(len(cuts), 0.5)
    predicted = probabilities > thresholds
    score_with = _SCORES[average]
    for _ in range(max_rounds):
        changed = False
        for label, cut in enumerate(cuts):
            scores = score_with(truth, predicted, label, cut.order, beta)
            best = cut.best(scores, thresholds[label])
            changed |= best != thresholds[label]
            thresholds[label] = best
            predicted[:, label] = probabilities[:, label] > best
        if not changed or average == "macro":
            break
    return thresholds


def threshold_report(
    probabilities: np.ndarray,
    labels: np.ndarray,
    thresholds: np.ndarray,
    class_names: Sequence[str],
    beta: float = 2.0,
) -> pd.DataFrame:
    """Compare fitted thresholds with 0.5 by F-beta, on photos they were not fitted on.

    Args:
        probabilities: `(n, classes)`, in [0, 1].
        labels: multi-hot `(n, classes)` of 0 and 1.
        thresholds: `(classes,)`, from `fit_thresholds`.
        class_names: in the order of the columns.
        beta: weight of recall against precision.

    Returns:
        Columns `photos` (with the label), `threshold`, `at_half` and `fitted` (F-beta);
        a row for each class, then "samples", "macro" and "micro".

    Raises:
        ValueError: arrays that do not fit.
    """
    truth = _check(probabilities, labels)
    if not len(class_names) == len(thresholds) == truth.shape[1]:
        raise ValueError(
            "`class_names` and `thresholds` must be one for each column. Received: "
            f"{len(class_names)} names, {len(thresholds)} thresholds, "
            f"{truth.shape[1]} columns"
        )
    if not np.isfinite(thresholds).all():
        raise ValueError(
            f"`thresholds` must be numbers. Received: thresholds={list(thresholds)!r}"
        )
    table = pd.DataFrame(
        {"photos": truth.sum(axis=0), "threshold": thresholds}, index=list(class_names)
    )
    averages = pd.DataFrame({"photos": len(truth)}, index=list(AVERAGES))
    for name, limit in (("at_half", 0.5), ("fitted", np.asarray(thresholds))):
        predicted = np.asarray(probabilities) > limit
        score = partial(fbeta_score, truth, predicted, beta=beta, zero_division=0)
        table[name] = score(average=None)
        averages[name] = [score(average=average) for average in AVERAGES]
    return pd.concat([table, averages])


class _Cuts:
    """All ways to cut one class's photos in two by a threshold.

    Cut k predicts the label for the first k photos of `order`, most probable first.
    """

    def __init__(self, probabilities: np.ndarray) -> None:
        self.order = np.argsort(-probabilities, kind="stable")
        self.falling = falling = probabilities[self.order]
        between = (falling[:-1] + falling[1:]) / 2
        last = falling[-1] / 2 if falling[-1] > 0 else _ALL
        self.thresholds = np.concatenate([[1.0], between, [last]])
        # Equal probabilities, or a middle that rounds to one of them, have no cut.
        self.is_cut = np.concatenate(
            [[True], (falling[:-1] > between) & (falling[1:] <= between), [True]]
        )

    def best(self, scores: np.ndarray, before: float) -> float:
        """The threshold of the highest score; `before` if that is as good."""
        # Otherwise equal scores could keep the search going round in circles.
        limit = np.max(scores, where=self.is_cut, initial=-np.inf) - 1e-12
        if scores[np.count_nonzero(self.falling > before)] >= limit:
            return before
        top = self.thresholds[self.is_cut & (scores >= limit)]
        return float(top[np.abs(top - 0.5).argmin()])


def _of_class(
    truth: np.ndarray,
    predicted: np.ndarray,
    label: int,
    order: np.ndarray,
    beta: float,
) -> np.ndarray:
    """F-beta of one class at each of its cuts, `(n + 1,)`."""
    hits = _sums(truth[order, label])
    return _f(hits, np.arange(len(order) + 1), truth[:, label].sum(), beta)


def _of_pool(
    truth: np.ndarray,
    predicted: np.ndarray,
    label: int,
    order: np.ndarray,
    beta: float,
) -> np.ndarray:
    """F-beta of all labels in one pool at each cut of one class."""
    others = np.delete(predicted, label, axis=1)
    hits = (others & np.delete(truth, label, axis=1)).sum()
    hits = hits + _sums(truth[order, label])
    return _f(hits, others.sum() + np.arange(len(order) + 1), truth.sum(), beta)


def _of_samples(
    truth: np.ndarray,
    predicted: np.ndarray,
    label: int,
    order: np.ndarray,
    beta: float,
) -> np.ndarray:
    """Mean of the photos' F-beta at each cut of one class."""
    others = np.delete(predicted, label, axis=1)
    hits = (others & np.delete(truth, label, axis=1)).sum(axis=1)
    counts, wanted = others.sum(axis=1), truth.sum(axis=1)
    without = _f(hits, counts, wanted, beta)
    with_label = _f(hits + truth[:, label], counts + 1, wanted, beta)
    return (without.sum() + _sums((with_label - without)[order])) / len(truth)


_SCORES: dict[str, Callable] = {
    "samples": _of_samples,
    "macro": _of_class,
    "micro": _of_pool,
}


def _sums(values: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, ... values."""
    return np.concatenate([[0], np.cumsum(values)])


def _f(
    hits: np.ndarray, predicted: np.ndarray, wanted: np.ndarray, beta: float
) -> np.ndarray:
    """F-beta of counts; 0 where nothing is wanted nor predicted."""
    size = np.asarray(beta**2 * wanted + predicted, float)
    return np.divide(
        (1 + beta**2) * hits, size, out=np.zeros_like(size), where=size > 0
    )


def _check(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if (
        probabilities.ndim != 2
        or probabilities.shape != labels.shape
        or not len(labels)
    ):
        raise ValueError(
            "`probabilities` and `labels` must be (n, classes), of one shape. "
            f"Received: shapes {probabilities.shape} and {labels.shape}"
        )
    if not np.isin(labels, (0, 1)).all():
        raise ValueError("`labels` must be 0 or 1. Received: other values")
    if not (probabilities.min() >= 0 and probabilities.max() <= 1):
        raise ValueError(
            "`probabilities` must be in [0, 1]. Received: values from "
            f"{probabilities.min()} to {probabilities.max()}"
        )
    return labels > 0
