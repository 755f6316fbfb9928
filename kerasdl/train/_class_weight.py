"""Weights of classes in a loss, checked before Keras takes them."""

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any


def check_class_weight(
    class_weight: Any, names: Sequence[str] | None = None
) -> dict[int, float] | None:
    """`class_weight` as Keras takes it: a plain number for each class, from 0 on.

    Args:
        class_weight: as it was given; None is none.
        names: of the classes, where they are known.

    Raises:
        ValueError: it is something else.
    """
    if class_weight is None:
        return None
    given = dict(class_weight) if isinstance(class_weight, Mapping) else {}
    numbers = all(
        isinstance(value, Real) and math.isfinite(value) and float(value) >= 0
        for value in given.values()
    )
    classes = range(len(given if names is None else names))
    if (
        not given
        or given.keys() != {*classes}
        or not numbers
        or not any(given.values())
    ):
        many = "each class" if names is None else f"each of {len(names)} classes"
        raise ValueError(
            f"`class_weight` must give a number of 0 or more for {many}, from 0 on. "
            f"Received: class_weight={class_weight!r:.200}. `data.class_weights()` "
            "makes one."
        )
    return {number: float(given[number]) for number in classes}
