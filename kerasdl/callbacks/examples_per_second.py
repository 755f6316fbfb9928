"""How fast training was, as the lessons of Dive into Deep Learning print it."""

import time
from typing import Any

import keras

from kerasdl._checks import check_positive_int


class ExamplesPerSecond(keras.callbacks.Callback):
    """Log `examples_per_second` of each epoch, validation left out.

    The first epoch's time holds the tracing of the model.

    Args:
        num_examples: images in an epoch.

    Raises:
        ValueError: `num_examples` is below 1.

    Example:
        ```
        speed = kd.callbacks.ExamplesPerSecond(len(data.files("train")))
        model.fit(data.train, callbacks=[speed])
        ```
    """

    def __init__(self, num_examples: int) -> None:
        super().__init__()
        check_positive_int("num_examples", num_examples)
        self.num_examples = num_examples

    def on_epoch_begin(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._began = self._ended = time.monotonic()

    def on_train_batch_end(  # noqa: D102
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._ended = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:  # noqa: D102
        logs["examples_per_second"] = self.num_examples / (self._ended - self._began)
