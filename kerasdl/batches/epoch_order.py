"""The order in which an epoch shows its rows: a function of (seed, epoch)."""

import numpy as np


def epoch_length(num_rows: int, balance: np.ndarray | None) -> int:
    """Number of rows that an epoch shows; see `epoch_order`."""
    if balance is None:
        return num_rows
    _, counts = np.unique(balance, return_counts=True)
    return len(counts) * int(counts.max())


def epoch_order(
    num_rows: int, balance: np.ndarray | None, seed: int, epoch: int
) -> np.ndarray:
    """Rows in the order of `epoch`, read-only.

    Args:
        num_rows: number of rows, each of which is shown once.
        balance: class of each row, or None. Each class is then shown as often as the
            largest: all its rows equally often, and some, drawn anew each epoch, once
            more.
        seed: of all epochs.
        epoch: number of the epoch.
    """
    rng = np.random.default_rng([seed, epoch, 0])
    shown: int | np.ndarray = num_rows
    if balance is not None:
        classes, counts = np.unique(balance, return_counts=True)
        parts = []
        for name in classes:
            own = np.flatnonzero(balance == name)
            times, more = divmod(counts.max(), len(own))
            parts += [np.tile(own, times), rng.permutation(own)[:more]]
        shown = np.concatenate(parts)
    order = rng.permutation(shown)
    order.flags.writeable = False
    return order
