"""What a model and the files made of it say of the same samples, in one pass."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .signature import Arrays, Runner

# Some samples, and what is true of each of them.
Batch = tuple[Arrays, Sequence[Any] | np.ndarray]


def answers(
    ways: Mapping[str, Runner], batches: Iterable[Batch]
) -> tuple[dict[str, Arrays], list[Any]]:
    """Ask each way for all samples.

    Args:
        ways: by name.
        batches: each is read once; one of no samples is passed over.

    Returns:
        The outputs by way, and the truth about each sample, in the order of `batches`.

    Raises:
        ValueError: an answer is no number.
    """
    parts: dict[str, list[Arrays]] = {name: [] for name in ways}
    truth: list[Any] = []
    for inputs, truths in batches:
        if not len(truths):
            continue
        truth.extend(truths)
        for name, run in ways.items():
            parts[name].append(run(inputs))
    whole = {}
    for name, found in parts.items():
        whole[name] = {
            key: np.concatenate([part[key] for part in found]) for key in found[0]
        }
        for array in whole[name].values():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"{name} answers with no number")
    return whole, truth
