"""Logs that not every epoch has: those of validation, and of what evaluates rarely."""

from collections.abc import Mapping
from typing import Any

import keras

# In the dict that Keras gives to all callbacks: names by the callback that logs them,
# None as long as it does not know them.
_LATER = "logs_of_later_epochs"


def announce_later(callback: keras.callbacks.Callback, *names: str) -> None:
    """Say that `callback` logs `names` in some epochs alone."""
    callback.params.setdefault(_LATER, {})[id(callback)] = names


def announce_later_unnamed(callback: keras.callbacks.Callback) -> None:
    """Say, when training begins, that `callback` will log what it cannot name yet."""
    callback.params.setdefault(_LATER, {})[id(callback)] = None


def comes_later(
    callback: keras.callbacks.Callback, name: str, logs: Mapping[str, Any]
) -> bool:
    """Whether a later epoch may log `name`, which the `logs` of this one lack."""
    without_validation = name.startswith("val_") and "val_loss" not in logs
    announced = callback.params.get(_LATER, {}).values()
    return without_validation or any(n is None or name in n for n in announced)
