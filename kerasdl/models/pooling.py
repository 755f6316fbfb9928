"""Pooling that Keras has no layer for, of built-in operations: it saves as they do.

Each takes windows side by side, has no weights and keeps the channels; a side's rest
that fills no window is dropped.
"""

from typing import Any

from keras import ops


def lp_pooling(x: Any, pool_size: int = 2, order: float = 2.0) -> Any:
    """Return `(sum of |x|^order) ** (1 / order)` of each window.

    Order 1 is the sum of magnitudes; towards infinity it is the largest of them.

    Args:
        x: `(batch, height, width, channels)`, of known height and width.
        pool_size: side of a window, at least 1.
        order: at least 1.

    Returns:
        `(batch, height // pool_size, width // pool_size, channels)`.

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        Sermanet, Chintala & LeCun, 2012, https://arxiv.org/abs/1204.3968, equation 1
    """
    _check_pool_size(pool_size)
    if not 1 <= order < float("inf"):
        raise ValueError(
            f"`order` must be a number of at least 1. Received: order={order!r}. For "
            "infinity take MaxPooling2D."
        )
    height, width = x.shape[1:3]
    if None in (height, width):
        raise ValueError(f"`x` must have known sides. Received: shape={x.shape}")
    size = ops.abs(x)
    # By the largest of its window, so that no power overflows or vanishes.
    largest = ops.max_pool(size, pool_size)
    largest = ops.where(largest > 0, largest, ops.ones_like(largest))
    of_each = ops.repeat(ops.repeat(largest, pool_size, axis=1), pool_size, axis=2)
    rest = height % pool_size, width % pool_size
    whole = size[:, : height - rest[0], : width - rest[1]]
    total = _sums(ops.power(whole / of_each, order), pool_size)
    # The slope of a root is infinite at 0.
    is_some = total > 0
    root = ops.power(ops.where(is_some, total, ops.ones_like(total)), 1 / order)
    return largest * ops.where(is_some, root, ops.zeros_like(root))


def mixed_pooling(x: Any, pool_size: int = 2, share: float = 0.5) -> Any:
    """Return `share` of each window's largest and the rest of its mean.

    Args:
        x: `(batch, height, width, channels)`.
        pool_size: side of a window, at least 1.
        share: in [0, 1].

    Returns:
        `(batch, height // pool_size, width // pool_size, channels)`.

    Raises:
        ValueError: an argument is not one of these.

    Reference:
        Lee, Gallagher & Tu, 2015, https://arxiv.org/abs/1509.08985, equation 1
    """
    _check_pool_size(pool_size)
    if not 0 <= share <= 1:
        raise ValueError(f"`share` must be in [0, 1]. Received: share={share!r}")
    largest = ops.max_pool(x, pool_size)
    return share * largest + (1 - share) * ops.average_pool(x, pool_size)


def stochastic_pooling(x: Any, pool_size: int = 2) -> Any:
    """Return the mean of each window, weighted by its values: `sum x^2 / sum x`.

    So a network predicts that in training draws one value of each window with a
    probability that is its share of the sum. Negative values count as 0.

    Args:
        x: `(batch, height, width, channels)`.
        pool_size: side of a window, at least 1.

    Returns:
        `(batch, height // pool_size, width // pool_size, channels)`.

    Raises:
        ValueError: `pool_size` is not at least 1.

    Reference:
        Zeiler & Fergus, 2013, https://arxiv.org/abs/1301.3557, equation 6
    """
    _check_pool_size(pool_size)
    x = ops.relu(x)
    total = _sums(x, pool_size)
    squares = _sums(ops.square(x), pool_size)
    return squares / ops.where(total > 0, total, ops.ones_like(total))


def _sums(x: Any, pool_size: int) -> Any:
    return ops.average_pool(x, pool_size) * pool_size**2


def _check_pool_size(pool_size: int) -> None:
    if not isinstance(pool_size, int) or isinstance(pool_size, bool) or pool_size < 1:
        raise ValueError(
            "`pool_size` must be an integer of at least 1. Received: "
            f"pool_size={pool_size!r}"
        )
