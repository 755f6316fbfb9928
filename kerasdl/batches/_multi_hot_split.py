"""Split rows that may be of several classes each, rare classes first."""

from collections.abc import Sequence

import numpy as np


def multi_hot_parts(
    classes: np.ndarray, shares: Sequence[float], seed: int
) -> np.ndarray:
    """Assign each row to a part, every class in proportion: iterative stratification.

    The class with the fewest rows left is dealt out first, each row to the part that
    lacks most of that class, then to the one that lacks most rows, then by lot. Rows of
    no class come last.

    Args:
        classes: multi-hot `(n, classes)`.
        shares: of the parts; their sum is 1.
        seed: of the order and of the lots.

    Returns:
        Number of its part for each row, `(n,)` int64.

    Reference:
        Sechidis, Tsoumakas & Vlahavas, 2011,
        https://doi.org/10.1007/978-3-642-23808-6_10, figure 1
    """
    hot = np.asarray(classes) > 0
    rng = np.random.default_rng(seed)
    parts_of = np.asarray(shares, float)
    missing = len(hot) * parts_of  # rows that each part still lacks
    missing_of = np.outer(parts_of, hot.sum(axis=0))  # of each class
    parts = np.full(len(hot), -1)
    left = hot.sum(axis=0)
    while left.any():
        rarest = np.where(left > 0, left, len(hot) + 1).argmin()
        for row in rng.permutation(np.flatnonzero(hot[:, rarest] & (parts < 0))):
            lots = rng.random(len(shares))
            part = np.lexsort((lots, missing, missing_of[:, rarest]))[-1]
            parts[row] = part
            missing[part] -= 1
            missing_of[part, hot[row]] -= 1
            left -= hot[row]
    for row in rng.permutation(np.flatnonzero(parts < 0)):
        parts[row] = missing.argmax()
        missing[parts[row]] -= 1
    return parts
