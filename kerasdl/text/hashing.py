"""Neighbouring tokens as numbers of buckets, in a graph and in NumPy."""

from typing import Any

import numpy as np
from keras import ops

# Primes, so small that their products stay below 2**31: phones have no more bits.
BUCKETS = 131_071
# Both times: of the primes below 2**14 those whose product lets no runs of common
# tokens, whose numbers are small, share a bucket, for all numbers of buckets used here.
_TIMES = 11_059, 13_009


def ngram_ids(tokens: Any, size: int, buckets: int = BUCKETS) -> Any:
    """Numbers of the runs of `size` tokens that begin at each place.

    Args:
        tokens: int32 `(batch, steps)`, padded by 0 at the end.
        size: tokens of a run, at least 2.
        buckets: numbers that they have, at most 131,071.

    Returns:
        int32 `(batch, steps)` from 1 to `buckets`; 0 where a run would leave the text.
    """
    following, found = tokens, ops.mod(tokens, buckets)
    for _ in range(size - 1):
        following = ops.pad(following[:, 1:], ((0, 0), (0, 1)))
        found = ops.mod(found * _TIMES[0], buckets) * -_TIMES[1]
        # Not added: of one text Keras would make a BiasAdd, which phones lack of ints.
        found = ops.mod(following - found, buckets)
    return ops.where(ops.equal(following, 0), 0, found + 1)


def ngram_ids_of(tokens: np.ndarray, size: int, buckets: int = BUCKETS) -> np.ndarray:
    """The numbers that `ngram_ids` gives the runs of one text without padding."""
    found = tokens.astype("int64") % buckets
    for place in range(1, size):
        found = found[:-1] * _TIMES[0] % buckets * _TIMES[1]
        found = (found + tokens[place:]) % buckets
    return found + 1
