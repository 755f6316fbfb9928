"""Compile a classifier of photos: fast.ai's optimizer, and what the labels ask for."""

import keras

from kerasdl.data import ImageData

from .classification_loss import classification_loss, classification_metrics


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


def default_optimizer() -> keras.optimizers.Optimizer:
    """SGD with momentum 0.9, for which fast.ai's rates are made, at 1e-2 until `fit`.

    Adam moves each weight by about its whole rate from the first batch on. With 400
    photos of cats and dogs, fast.ai's 1e-2 for the head and 1e-3 for the late layers of
    EfficientNet-Lite0, 8 epochs without augmentation from activations at 224 pixels,
    it went from 0.984 to 0.5 on 500 validation photos at a training loss of 0.006; SGD
    from 0.980 to 0.988, Nesterov's from 0.982 to 0.988, SGD with gradients clipped to a
    global norm of 1 from 0.976 to 0.984 (seed 1). recipes/README.md has the lesson.
    """
    return keras.optimizers.SGD(learning_rate=1e-2, momentum=0.9)
