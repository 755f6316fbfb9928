"""Scalars of each batch for TensorBoard; Keras writes the means of epochs so far."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kerasdl._checks import make_writable_folder


class TensorBoardSteps(keras.callbacks.Callback):
    """Write the loss and the metrics of each batch by itself.

    The step is the optimizer's, so a training that goes on later continues the curve.
    What Keras logs is taken for a mean over the epoch's examples, which it is for the
    loss and for metrics such as accuracy.

    Args:
        log_dir: folder of the logs; these go into `steps` in it.

    Raises:
        ValueError: in `fit`, before the first batch, a folder that cannot be written
            to.
    """

    def __init__(self, log_dir: str | Path) -> None:
        super().__init__()
        self.log_dir = Path(log_dir)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        make_writable_folder("log_dir", self.log_dir)
        self._writer = tf.summary.create_file_writer(str(self.log_dir / "steps"))

    def on_epoch_begin(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._seen, self._sums = 0.0, {}

    def on_train_batch_end(  # noqa: D102
        self, batch: int, logs: dict[str, Any]
    ) -> None:
        # Keras puts the loss first, whose weight is the number of examples so far.
        seen = float(keras.ops.convert_to_numpy(self.model.metrics[0].count))
        sums = {name: mean * seen for name, mean in logs.items()}
        step = int(self.model.optimizer.iterations)
        with self._writer.as_default():
            for name, total in sums.items():
                own = total - self._sums.get(name, 0.0)
                tf.summary.scalar(f"batch_{name}", own / (seen - self._seen), step)
        self._seen, self._sums = seen, sums

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        self._writer.close()
