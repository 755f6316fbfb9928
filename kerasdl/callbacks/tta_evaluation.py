"""Validation accuracy with test-time augmentation, while and after a model trains."""

from typing import Any

import keras

from kerasdl._checks import check_positive_int
from kerasdl._seeds import resolve_seed
from kerasdl.data import Augment, ImageData
from kerasdl.predict._model_shapes import check_outputs
from kerasdl.predict._views import VIEWS
from kerasdl.predict.predictor import check_data
from kerasdl.predict.tta import check_tta, tta

from ._later_logs import announce_later


class TTAEvaluation(keras.callbacks.Callback):
    """Report validation accuracy with test-time augmentation as `val_tta_accuracy`.

    At the end of an epoch it goes into the epoch's logs, so that the history and what
    comes later in `callbacks` have it; epochs between have none, as with Keras's
    `validation_freq`. At the end of training it is printed. There it should stand after
    callbacks that then change the weights, such as EarlyStopping, which brings the best
    ones back. Nothing is printed under `fit(verbose=0)`.

    Args:
        data: its validation photos are looked at.
        n_aug: as in `tta`.
        augment: as in `tta`.
        every: number of epochs from one report to the next; None for one at the end of
            training.
        beta: as in `tta`.
        seed: of random augmentations, the same at each report, so that reports differ
            by the model alone; None draws one and prints it.

    Attributes:
        accuracy: the last report's, in [0, 1]; None before the first.

    Raises:
        ValueError: an argument outside its range, or nothing to augment with; in
            `fit`, a model with another number of outputs than classes.
    """

    def __init__(
        self,
        data: ImageData,
        n_aug: int = 4,
        augment: str | Augment | None = None,
        every: int | None = None,
        *,
        beta: float | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        if every is not None:
            check_positive_int("every", every)
        check_data("data", data)
        is_fixed = check_tta(data, n_aug, augment, "valid", beta) in VIEWS
        self.data = data
        self.n_aug = n_aug
        self.augment = augment
        self.every = every
        self.beta = beta
        self.seed = seed if is_fixed else resolve_seed(seed)
        self.accuracy: float | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        check_outputs(self.model, self.data.class_names)
        if self.every is not None:
            announce_later(self, "val_tta_accuracy")

    def on_epoch_end(  # noqa: D102
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.every is not None and (epoch + 1) % self.every == 0:
            logs["val_tta_accuracy"] = self._evaluate()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        if self.every is None:
            accuracy = self._evaluate()
            if self.params["verbose"]:
                print(f"val_tta_accuracy: {accuracy:.4f}")

    def _evaluate(self) -> float:
        result = tta(
            *(self.model, self.data, self.n_aug, self.augment, "valid", self.beta),
            verbose=int(bool(self.params["verbose"])),
            seed=self.seed,
        )
        self.accuracy = result.accuracy
        return self.accuracy
