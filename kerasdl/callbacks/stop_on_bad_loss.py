"""A loss that is not a number stops training, and the files of its batch are named."""

import math
from typing import Any

import keras

from kerasdl.batches import Pair, TrainingData


class StopOnBadLoss(keras.callbacks.Callback):
    """Raise an error at the first batch with a loss that is NaN or infinite.

    Keras's TerminateOnNaN ends the training as if it were finished, which a run that
    is saved with its schedule would then be. An error leaves the state of the last
    whole epoch in place.

    The loss is read after each batch: on a processor a copy of one number per metric,
    as Keras's progress bar makes it too; on a GPU training waits for the batch, as it
    does for a learning rate that is set each batch.

    Args:
        data: what `fit` trains on, one epoch a pass; its files are then named.

    Raises:
        FloatingPointError: in `fit`: the loss is not finite.

    Example:
        ```
        model.fit(data.train, callbacks=[kd.callbacks.StopOnBadLoss(data)])
        ```
    """

    def __init__(self, data: TrainingData | Pair | None = None) -> None:
        super().__init__()
        self.data = data

    def on_epoch_begin(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._epoch = epoch

    def on_train_batch_end(  # noqa: D102
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if math.isfinite(loss):  # the mean of the epoch: one bad batch stays in it
            return
        first = batch - self.model.steps_per_execution + 1
        files = []
        if self.data is not None:
            for index in range(first, batch + 1):
                files += self.data.batch_files(index)
        batches = f"batch {batch}" if first == batch else f"batches {first} to {batch}"
        named = f", of {', '.join(files)}" if files else ""
        raise FloatingPointError(
            f"the loss is {loss} at {batches} of epoch {self._epoch + 1}{named}. A "
            "lower learning rate often helps; so does a look at these inputs and their "
            "labels, and at those of the batch before, which made the weights."
        )
