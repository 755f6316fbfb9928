"""Validation accuracy with test-time augmentation, while and after a model trains."""

from typing import Any

import keras

from kerasdl._seeds import resolve_seed
from kerasdl.callbacks import Evaluation
from kerasdl.data import Augment, ImageData

from ._views import VIEWS
from .outputs import check_outputs
from .split_photos import check_data
from .tta import check_tta, tta


class TTAEvaluation(Evaluation):
    """Report validation accuracy with test-time augmentation as `val_tta_accuracy`.

    When, and where it stands among callbacks, is said at `callbacks.Evaluation`.

    Args:
        data: its validation photos are looked at.
        n_aug: as in `tta`.
        augment: as in `tta`.
        every: number of epochs from one report to the next; None for one at the end of
            training.
        beta: as in `tta`.
        seed: of random augmentations, the same at each report, so that reports differ
            by the model alone; None draws one and prints it.

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
        super().__init__(self._with_views, every)
        check_data("data", data)
        is_fixed = check_tta(data, n_aug, augment, "valid", beta) in VIEWS
        self.data = data
        self.n_aug = n_aug
        self.augment = augment
        self.beta = beta
        self.seed = seed if is_fixed else resolve_seed(seed)

    @property
    def accuracy(self) -> float | None:
        """The last report's, in [0, 1]; None before the first."""
        return self.found.get("val_tta_accuracy")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: D102
        super().on_train_begin(logs)
        check_outputs(self.model, self.data.class_names)

    def _with_views(self, model: keras.Model) -> dict[str, float]:
        result = tta(
            model,
            self.data,
            n_aug=self.n_aug,
            augment=self.augment,
            split="valid",
            beta=self.beta,
            verbose=int(bool(self.params["verbose"])),
            seed=self.seed,
        )
        return {"val_tta_accuracy": result.accuracy}
