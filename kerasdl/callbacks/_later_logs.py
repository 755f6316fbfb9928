"""Logs that not every epoch has: those of validation, and of what evaluates rarely."""

from collections.abc import Mapping
from typing import Any

import keras

_LATER = "logs_of_later_epochs"  # a set in the dict that Keras gives to all callbacks


def announce_later(callback: keras.callbacks.Callback, name: str) -> None:
    """Say, when training begins, that `callback` logs `name` in some epochs alone."""
    callback.params.setdefault(_LATER, set()).add(name)


def comes_later(
    callback: keras.callbacks.Callback, name: str, logs: Mapping[str, Any]
) -> bool:
    """Whether a later epoch may log `name`, which the `logs` of this one lack."""
    without_validation = name.startswith("val_") and "val_loss" not in logs
    return without_validation or name in callback.params.get(_LATER, ())
