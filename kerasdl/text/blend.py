"""Several networks as one: the mean of what they are sure of."""

from collections.abc import Sequence

import keras
from keras import ops

from .blocks import tokens_in

_LEAST = 1e-7  # of a probability, whose logarithm is taken


def blend(
    members: Sequence[keras.Model], weights: Sequence[float] | None = None
) -> keras.Model:
    """A model whose answer is the geometric mean of those of its members.

    Args:
        members: networks of the same tokens and classes.
        weights: how much each counts; None is alike.

    Raises:
        ValueError: `weights` are not one for each of `members`.
    """
    weights = [1.0] * len(members) if weights is None else list(weights)
    if not members or len(weights) != len(members) or min(weights) <= 0:
        raise ValueError(
            "`weights` must be above 0 and one for each of `members`. Received: "
            f"weights={weights} for {len(members)} members"
        )
    tokens, _ = tokens_in()
    total = sum(weights)
    found = [
        ops.log(ops.maximum(member(tokens), _LEAST)) * (weight / total)
        for member, weight in zip(members, weights, strict=True)
    ]
    whole = found[0] if len(found) == 1 else sum(found[1:], found[0])
    return keras.Model(tokens, ops.softmax(whole, axis=-1), name="blend")
