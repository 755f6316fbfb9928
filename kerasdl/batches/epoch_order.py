"""The order in which an epoch shows its photos: a function of (seed, epoch)."""

import numpy as np


def epoch_length(num_files: int, balance: np.ndarray | None) -> int:
    """Number of photos that an epoch shows; see `epoch_order`."""
    if balance is None:
        return num_files
    _, counts = np.unique(balance, return_counts=True)
    return len(counts) * int(counts.max())


def epoch_order(
    num_files: int, balance: np.ndarray | None, seed: int, epoch: int
) -> np.ndarray:
    """Positions of the files in the order of `epoch`, read-only.

    Args:
        num_files: number of files, each of which is shown once.
        balance: class of each file, or None. Each class is then shown as often as the
            largest: all its files equally often, and some, drawn anew each epoch, once
            more.
        seed: of all epochs.
        epoch: number of the epoch.
    """
    rng = np.random.default_rng([seed, epoch, 0])
    rows: int | np.ndarray = num_files
    if balance is not None:
        classes, counts = np.unique(balance, return_counts=True)
        parts = []
        for label in classes:
            own = np.flatnonzero(balance == label)
            times, more = divmod(counts.max(), len(own))
            parts += [np.tile(own, times), rng.permutation(own)[:more]]
        rows = np.concatenate(parts)
    order = rng.permutation(rows)
    order.flags.writeable = False
    return order
