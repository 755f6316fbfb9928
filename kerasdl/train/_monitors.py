"""What callbacks wait for, where nothing is held out that would tell it."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasdl.callbacks import Evaluation


def check_monitors(
    callbacks: Sequence[keras.callbacks.Callback], validation_data: Any
) -> None:
    """Raise ValueError if a callback monitors validation, and there is none.

    Left alone is what stands beside an `Evaluation`, or a callback of one's own: these
    may log anything.
    """
    may_log = any(
        isinstance(one, Evaluation)
        or type(one).__module__.split(".")[0] not in ("keras", "kerasdl")
        for one in callbacks
    )
    if validation_data is not None or may_log:
        return
    for one in callbacks:
        monitor = str(getattr(one, "monitor", None))
        if monitor.startswith("val_") and _is_read(one):
            raise ValueError(
                "`callbacks` must monitor what training logs, such as 'loss', where "
                f"nothing is held out for validation. Received: {type(one).__name__} "
                f"with monitor={monitor!r}"
            )


def _is_read(callback: keras.callbacks.Callback) -> bool:
    """Whether its monitor decides what it does, or stands in the names of its files."""
    names = str(getattr(callback, "filepath", ""))
    return getattr(callback, "save_best_only", True) or "{val_" in names
