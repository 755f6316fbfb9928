"""What a function measures of the model, among the logs of an epoch."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from kerasdl._checks import check_positive_int

from ._later_logs import announce_later, announce_later_unnamed


class Evaluation(keras.callbacks.Callback):
    """Put what `measure` returns into the logs, for the history and later callbacks.

    Epochs between have none, as with Keras's `validation_freq`. With `every=None` it
    measures at the end of training alone, and prints that, but not under
    `fit(verbose=0)`. There it should stand after callbacks that then change the
    weights, such as EarlyStopping, which brings the best ones back.

    Args:
        measure: takes the model that trains, returns numbers by name, such as
            `{"val_map": 0.31}`. It changes nothing.
        every: number of epochs from one measure to the next; None for one at the end.

    Attributes:
        found: what was measured last; empty before.

    Raises:
        ValueError: `every` is neither; in `fit`, `measure` returns something else.

    Example:
        ```
        measured = kd.callbacks.Evaluation(lambda model: {"layers": len(model.layers)})
        model.fit(data.train, callbacks=[measured])
        ```
    """

    def __init__(
        self,
        measure: Callable[[keras.Model], Mapping[str, float]],
        every: int | None = 1,
    ) -> None:
        super().__init__()
        if every is not None:
            check_positive_int("every", every)
        self.measure = measure
        self.every = every
        self.found: dict[str, float] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        self.found = {}
        if self._skips:
            announce_later_unnamed(self)

    def on_epoch_end(  # noqa: D102
        self, epoch: int, logs: dict[str, Any]
    ) -> None:
        if self.every is not None and (epoch + 1) % self.every == 0:
            logs.update(self._measured())
            if self._skips:
                announce_later(self, *self.found)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        if self.every is None:
            found = self._measured()
            if self.params["verbose"]:
                print(", ".join(f"{k}: {value:.4f}" for k, value in found.items()))

    @property
    def _skips(self) -> bool:
        """Whether there are epochs without a measure, before one with it."""
        return self.every is not None and self.every > 1

    def _measured(self) -> dict[str, float]:
        found = self.measure(self.model)
        try:
            self.found = {name: float(value) for name, value in found.items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                "`measure` must return numbers by name, such as {'val_map': 0.31}. "
                f"Received: {found!r:.200}"
            ) from error
        return self.found
