"""Which rows are in a batch: a function of seed, epoch and index."""

from functools import lru_cache, partial

import numpy as np

from kerasdl._checks import check_positive_int

from .epoch_order import epoch_length, epoch_order


class BatchPlan:
    """Which rows are batch `index` of `epoch`.

    Args:
        num_rows: number of rows, each of which an epoch shows once.
        batch_size: rows in a batch; the last one of an epoch may be smaller.
        shuffle: a new order each epoch.
        balance: class of each row, if an epoch is to show each class as often as the
            largest; implies `shuffle`.
        seed: of the order.

    Attributes:
        num_batches: batches in an epoch.

    Raises:
        ValueError: `batch_size` is no integer of at least 1.
    """

    def __init__(
        self,
        num_rows: int,
        batch_size: int,
        shuffle: bool = False,
        *,
        balance: np.ndarray | None = None,
        seed: int = 0,
    ) -> None:
        check_positive_int("batch_size", batch_size)
        self.num_rows = num_rows
        self.batch_size = batch_size
        self.shuffle = shuffle or balance is not None
        self.seed = seed
        self.num_batches = -(-epoch_length(num_rows, balance) // batch_size)
        draw = partial(epoch_order, num_rows, balance, seed)
        self._shuffled = lru_cache(maxsize=4)(draw)

    def order(self, epoch: int) -> np.ndarray:
        """Rows in the order of `epoch`."""
        return self._shuffled(epoch) if self.shuffle else np.arange(self.num_rows)

    def rows(self, epoch: int, index: int) -> np.ndarray:
        """Rows of one batch."""
        return self.order(epoch)[index * self.batch_size :][: self.batch_size]
