"""Batches of texts of like length, so that little of them is padding."""

import numpy as np

_POOL = 16  # batches that are sorted by length together: order stays random over those


def bucketed(
    order: np.ndarray,
    lengths: np.ndarray,
    batch_size: int,
    generator: np.random.Generator,
) -> list[np.ndarray]:
    """Put rows into batches, each of rows of like length, in random order.

    Args:
        order: rows, shuffled.
        lengths: of all rows, in tokens.
        batch_size: rows in a batch; one may be smaller, the last.
        generator: draws the order of batches.

    Returns:
        Rows of each batch.
    """
    pool = _POOL * batch_size
    batches = []
    for start in range(0, len(order), pool):
        part = order[start : start + pool]
        part = part[np.argsort(lengths[part], kind="stable")]
        starts = range(0, len(part), batch_size)
        batches += [part[first : first + batch_size] for first in starts]
    small = [batch for batch in batches if len(batch) < batch_size]
    whole = [batch for batch in batches if len(batch) == batch_size]
    return [whole[place] for place in generator.permutation(len(whole))] + small
