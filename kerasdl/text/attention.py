"""Attention from its formulas, in NumPy: what Keras's layers compute.

Each returns what comes out and the weights, which sum to 1 over the places that are
looked at.
"""

from collections.abc import Sequence

import numpy as np

_NEVER = -1e9  # added to the score of a place that is masked


def softmax(scores: np.ndarray) -> np.ndarray:
    """`exp(s) / sum(exp(s))` over the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def additive_attention(
    query: np.ndarray,
    value: np.ndarray,
    scale: np.ndarray,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Bahdanau's: a score is `sum(scale * tanh(query + value))`.

    Args:
        query: `(batch, t, depth)`, what asks.
        value: `(batch, s, depth)`, what is looked at.
        scale: `(depth,)`, v of the paper. Its matrices W and U are dense layers before.
        mask: `(batch, s)`, False for places that are not looked at.

    Returns:
        `(batch, t, depth)`, and weights `(batch, t, s)`.

    Reference:
        Bahdanau et al., 2015, https://arxiv.org/abs/1409.0473, A.1.2
    """
    sums = query[:, :, None, :] + value[:, None, :, :]
    scores = (scale * np.tanh(sums)).sum(axis=-1)
    return _attend(scores, value, None if mask is None else mask[:, None, :])


def multiplicative_attention(
    query: np.ndarray,
    value: np.ndarray,
    kernel: np.ndarray | None = None,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Luong's: a score is `query . value`, or `query . kernel . value`.

    Args:
        query: `(batch, t, depth)`, what asks.
        value: `(batch, s, value_depth)`, what is looked at.
        kernel: `(depth, value_depth)`, of "general"; None is "dot".
        mask: `(batch, s)`, False for places that are not looked at.

    Returns:
        `(batch, t, value_depth)`, and weights `(batch, t, s)`.

    Reference:
        Luong et al., 2015, https://arxiv.org/abs/1508.04025, 3.1
    """
    asked = query if kernel is None else query @ kernel
    scores = asked @ value.transpose(0, 2, 1)
    return _attend(scores, value, None if mask is None else mask[:, None, :])


def multi_head_attention(
    query: np.ndarray,
    value: np.ndarray,
    weights: Sequence[np.ndarray],
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Of each head `softmax(q k / sqrt(depth)) v`, then a dense layer of all heads.

    Args:
        query: `(batch, t, width)`, what asks.
        value: `(batch, s, value_width)`, what is looked at.
        weights: as `MultiHeadAttention.get_weights()` gives them: kernel `(width,
            heads, depth)` and bias `(heads, depth)` of queries, of keys and of values,
            then kernel `(heads, depth, out)` and bias `(out,)`.
        mask: `(batch, t, s)`, or what becomes that, False for places that a query does
            not look at; see `causal_mask`.

    Returns:
        `(batch, t, out)`, and weights `(batch, heads, t, s)`.

    Reference:
        Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, 3.2
    """
    q_kernel, q_bias, k_kernel, k_bias, v_kernel, v_bias, kernel, bias = weights
    q = np.einsum("btw,whd->bhtd", query, q_kernel) + q_bias[:, None, :]
    k = np.einsum("bsw,whd->bhsd", value, k_kernel) + k_bias[:, None, :]
    v = np.einsum("bsw,whd->bhsd", value, v_kernel) + v_bias[:, None, :]
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    heads, found = _attend(scores, v, None if mask is None else mask[:, None])
    return np.einsum("bhtd,hdo->bto", heads, kernel) + bias, found


def causal_mask(length: int) -> np.ndarray:
    """`(1, length, length)`: a place looks at itself and at what is before it."""
    return np.tril(np.ones((1, length, length), bool))


def positional_encoding(length: int, depth: int) -> np.ndarray:
    """Sines in the first half, cosines in the second, of `position / 10000^(2i/depth)`.

    The paper has them by turns, which is the same but for the order of columns.

    Args:
        length: number of positions.
        depth: number of columns, an even one.

    Returns:
        `(length, depth)` float32.

    Raises:
        ValueError: `depth` is odd.

    Reference:
        Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, 3.5
    """
    if depth % 2:
        raise ValueError(f"`depth` must be even. Received: depth={depth}")
    rates = 10000.0 ** (-np.arange(0, depth, 2) / depth)
    angles = np.arange(length)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype("float32")


def _attend(
    scores: np.ndarray, value: np.ndarray, mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of `value`, weighted by the softmax of what is not masked."""
    if mask is not None:
        scores = np.where(mask, scores, _NEVER)
    weights = softmax(scores)
    return weights @ value, weights
