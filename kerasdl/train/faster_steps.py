"""All that lets Keras's layers train faster, at once."""

import keras

from .fast_convolutions import fast_convolutions
from .fast_projections import fast_projections
from .fused_batch_norm import fused_batch_norm


def faster_steps(model: keras.Model) -> keras.Model:
    """Let the layers of `model` train by faster operations than Keras's own.

    It is `fused_batch_norm`, `fast_convolutions` and `fast_projections`, each for the
    layers that it suits. The numbers are those of Keras up to rounding, and the model
    stays a plain one, saved as what it is. Predicting is Keras's own.

    `resumable_fit`, `fit_cycles` and `lr_find` call it; before a plain `fit`, call it
    yourself.

    Args:
        model: built; models inside it are looked into.

    Returns:
        The same model.

    Example:
        >>> model = kerasdl.models.resnet18(num_classes=10)
        >>> kerasdl.train.faster_steps(model).count_params()
        11191242
    """
    return fast_projections(fast_convolutions(fused_batch_norm(model)))
