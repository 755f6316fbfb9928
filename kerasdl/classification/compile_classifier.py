"""Compile a classifier of photos: fast.ai's optimizer, and what the labels ask for."""

import keras

from kerasdl.data import ImageData
from kerasdl.train import default_optimizer

from .loss import classification_loss, classification_metrics


def compile_classifier(
    model: keras.Model,
    data: ImageData,
    optimizer: str | keras.optimizers.Optimizer | None = None,
) -> None:
    """Compile `model` with the loss and the metrics of `data`'s labels.

    Args:
        model: returns probabilities; one that is compiled stays as it is.
        data: its labels decide.
        optimizer: as `compile` takes it; None is `default_optimizer`.

    Raises:
        ValueError: labels and outputs do not match; or an `optimizer` for a model that
            is compiled.
    """
    loss = classification_loss(model, data)
    if model.compiled and optimizer is not None:
        raise ValueError(
            "`optimizer` must be None for a model that is compiled. Received: "
            f"optimizer={optimizer!r}. Compile with it, or pass a model that is not "
            "compiled."
        )
    if not model.compiled:
        model.compile(
            optimizer=default_optimizer() if optimizer is None else optimizer,
            loss=loss,
            metrics=classification_metrics(data),
        )
