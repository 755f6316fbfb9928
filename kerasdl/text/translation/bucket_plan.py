"""Which pairs are in a batch: of like length, with about as many pieces in each."""

from functools import lru_cache

import numpy as np

from kerasdl._checks import check_positive_int
from kerasdl.batches import epoch_order

_NOISE = 4.0  # pieces by which the shorter side may differ within a bucket


class BucketPlan:
    """Which rows are batch `index` of `epoch`, each row once an epoch.

    A batch has as many rows as fit in `batch_tokens` when all are as long as its
    longest. Rows of one length change their batches with each epoch, and batches their
    order; the lengths of batches stay, so every epoch has the same number of them.

    Args:
        lengths: pieces of source and target of each row, `(rows, 2)`.
        batch_tokens: pieces of a batch, padding among them, of the longer side. One
            longer row is a batch of its own.
        shuffle: a new order each epoch.
        seed: of the order.

    Attributes:
        num_batches: batches in an epoch.
        batch_size: rows of the largest batch.

    Raises:
        ValueError: `batch_tokens` is no integer of at least 1.
    """

    def __init__(
        self,
        lengths: np.ndarray,
        batch_tokens: int,
        shuffle: bool = False,
        *,
        seed: int = 0,
    ) -> None:
        check_positive_int("batch_tokens", batch_tokens)
        self.lengths = np.asarray(lengths)
        self.shuffle, self.seed = shuffle, seed
        self._cuts = _cuts(np.sort(self.lengths.max(axis=1)), batch_tokens)
        self.num_batches = len(self._cuts) - 1
        self.batch_size = int(np.diff(self._cuts).max(initial=0))
        self._order = lru_cache(maxsize=4)(self._draw)

    def rows(self, epoch: int, index: int) -> np.ndarray:
        """Rows of one batch."""
        rows, batches = self._order(epoch if self.shuffle else 0)
        start, end = self._cuts[batches[index] : batches[index] + 2]
        return rows[start:end]

    def _draw(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """All rows by length, and the order of the batches that they are cut into."""
        longer, shorter = self.lengths.max(axis=1), self.lengths.min(axis=1)
        if not self.shuffle:
            return np.lexsort((shorter, longer)), np.arange(self.num_batches)
        noise = np.random.default_rng([self.seed, epoch, 1]).random(len(longer))
        rows = np.lexsort((shorter + _NOISE * noise, longer))
        return rows, epoch_order(self.num_batches, None, self.seed, epoch)


def _cuts(longer: np.ndarray, batch_tokens: int) -> np.ndarray:
    """Where sorted lengths are cut, from 0 to their number."""
    cuts = [0]
    for place, length in enumerate(longer):
        if place > cuts[-1] and (place + 1 - cuts[-1]) * length > batch_tokens:
            cuts.append(place)
    return np.array([*cuts, len(longer)] if len(longer) else cuts)
