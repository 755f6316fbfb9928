"""What a model and the files made of it say of the same samples, in one pass."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .signature import Arrays, Runner

# Some samples, and what is true of each of them.
Batch = tuple[Arrays, Sequence[Any] | np.ndarray]
# What is kept of the answers to some samples.
Keep = Callable[[Arrays, Any], Arrays]  # of outputs, with what the batches say


def answers(
    ways: Mapping[str, Runner], batches: Iterable[Batch], keep: Keep | None = None
) -> tuple[dict[str, Arrays], list[Any]]:
    """Ask each way for all samples.

    Args:
        ways: by name.
        batches: each is read once; one of no samples is passed over.
        keep: makes of the outputs for a batch, and of what is true of it, arrays of as
            many rows that take less memory; None keeps the outputs.

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
            found = run(inputs)
            for array in found.values():
                if array.dtype.kind == "f" and not np.isfinite(array).all():
                    raise ValueError(f"{name} answers with no number")
            parts[name].append(keep(found, truths) if keep else found)
    whole = {
        name: {key: np.concatenate([part[key] for part in found]) for key in found[0]}
        for name, found in parts.items()
    }
    return whole, truth
