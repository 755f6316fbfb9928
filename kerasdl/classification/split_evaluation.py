"""Validation of a model that is a part of what `fit` trains."""

from typing import Any

import keras
import tensorflow as tf

from kerasdl.callbacks import Evaluation
from kerasdl.data import DatasetPhotos, ImageData

from .outputs import check_outputs
from .predict_split import predict_split
from .split_photos import photos_for


class SplitEvaluation(Evaluation):
    """Put `val_accuracy` and `val_loss` of one model into the logs of each epoch.

    For a `keras.distillation.Distiller`, whose own validation would ask the teacher
    too, and for any model that takes more than photos while it trains. The loss is the
    log loss of the probabilities, without what else is added in training.

    Args:
        model: takes pixels in [0, 255], returns probabilities; it shares its weights
            with the model that `fit` trains.
        data: its photos, at the model's size; a dataset is taken as by `predict_split`.
        split: one with labels.

    Raises:
        ValueError: a split without labels, or a model with another number of outputs
            than classes.
    """

    def __init__(
        self,
        model: keras.Model,
        data: ImageData | DatasetPhotos | tf.data.Dataset,
        split: str = "valid",
    ) -> None:
        super().__init__(self._of_split)
        data = photos_for(model, data)
        check_outputs(model, data.class_names)
        data.labels(split)
        self._evaluated = model
        self.data = data
        self.split = split

    def _of_split(self, trained: Any) -> dict[str, float]:
        found = predict_split(self._evaluated, self.data, self.split, verbose=0)
        return {"val_accuracy": found.accuracy, "val_loss": found.log_loss}
