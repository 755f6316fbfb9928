"""What answers depend on: columns shuffled, and columns set."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance

from kerasdl._checks import check_positive_int

from .columns import Columns

Answer = Callable[[pd.DataFrame], np.ndarray]
Loss = Callable[[np.ndarray], float]


class _Asked(BaseEstimator):
    """A function of a frame, in the form in which scikit-learn asks."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "_Asked":  # noqa: N803
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:  # noqa: N803
        return self.answer(X)


def importance(
    answer: Answer,
    frame: pd.DataFrame,
    columns: Columns,
    truth: np.ndarray,
    loss: Callable[[np.ndarray, np.ndarray], float],
    repeats: int = 3,
    most_rows: int = 2000,
    *,
    seed: int,
) -> pd.DataFrame:
    """How much worse the answers are when a column is shuffled, the worst first.

    Args:
        answer: gives answers to raw rows.
        frame: raw rows.
        columns: that are shuffled, one after another.
        truth: of the rows.
        loss: of truth and answers; less is better.
        repeats: shuffles of each column.
        most_rows: rows that are drawn, of more.
        seed: of the draw and the shuffles.

    Returns:
        By column: `importance`, the mean rise of the loss, and `spread`, its standard
        deviation.

    Raises:
        ValueError: `repeats` or `most_rows` is below 1.

    Reference:
        Breiman, Random Forests (2001); scikit-learn's `permutation_importance`
    """
    check_positive_int("repeats", repeats)
    check_positive_int("most_rows", most_rows)
    rows = drawn(len(frame), most_rows, seed)
    found = permutation_importance(
        _Asked(answer),
        frame[columns.names].iloc[rows],
        truth[rows],
        scoring=lambda asked, x, y: -loss(y, asked.predict(x)),
        n_repeats=repeats,
        random_state=seed,
    )
    table = pd.DataFrame(
        {"importance": found.importances_mean, "spread": found.importances_std},
        index=pd.Index(columns.names, name="column"),
    )
    return table.sort_values("importance", ascending=False)


def partial_dependence(
    answer: Answer,
    frame: pd.DataFrame,
    name: str,
    values: list,
    most_rows: int = 500,
    *,
    seed: int,
) -> np.ndarray:
    """The mean answer to rows whose column `name` is set to each of `values`.

    Args:
        answer: gives answers to raw rows.
        frame: raw rows.
        name: the column.
        values: what it is set to.
        most_rows: rows that are drawn, of more.
        seed: of the draw.

    Reference:
        Friedman, Greedy Function Approximation (2001), section 8.2
    """
    rows = frame.iloc[drawn(len(frame), most_rows, seed)]
    asked = pd.concat([rows] * len(values))
    asked[name] = np.repeat(np.array(values), len(rows))
    return np.reshape(answer(asked), (len(values), -1)).mean(axis=1)


def drawn(count: int, most: int, seed: int) -> np.ndarray:
    """Numbers of at most `most` of `count` rows, sorted."""
    draw = np.random.default_rng(seed).permutation(count)[:most]
    return np.sort(draw)
