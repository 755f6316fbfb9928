"""Split photos that may have several labels each, rare labels first."""

from collections.abc import Sequence

import numpy as np


def multi_label_parts(
    labels: np.ndarray, shares: Sequence[float], seed: int
) -> np.ndarray:
    """Assign each photo to a part, every label in proportion: iterative stratification.

    The label with the fewest photos left is dealt out first, each photo to the part
    that lacks most of that label, then to the one that lacks most photos, then by lot.
    Photos without labels come last.

    Args:
        labels: multi-hot `(n, classes)`.
        shares: of the parts; their sum is 1.
        seed: of the order and of the lots.

    Returns:
        Number of its part for each photo, `(n,)` int64.

    Reference:
        Sechidis, Tsoumakas & Vlahavas, On the Stratification of Multi-Label Data
        (2011), figure 1
    """
    hot = np.asarray(labels) > 0
    rng = np.random.default_rng(seed)
    shares = np.asarray(shares, float)
    missing = len(hot) * shares  # photos that each part still lacks
    missing_label = np.outer(shares, hot.sum(axis=0))
    parts = np.full(len(hot), -1)
    left = hot.sum(axis=0)
    while left.any():
        rarest = np.where(left > 0, left, len(hot) + 1).argmin()
        for row in rng.permutation(np.flatnonzero(hot[:, rarest] & (parts < 0))):
            lots = rng.random(len(shares))
            part = np.lexsort((lots, missing, missing_label[:, rarest]))[-1]
            parts[row] = part
            missing[part] -= 1
            missing_label[part, hot[row]] -= 1
            left -= hot[row]
    for row in rng.permutation(np.flatnonzero(parts < 0)):
        parts[row] = missing.argmax()
        missing[parts[row]] -= 1
    return parts
