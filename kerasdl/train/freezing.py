"""Which layers train: a recompiled freeze, with BatchNorm statistics that stay put."""

import math

import keras

from kerasdl.models import head_layers


def freeze_to(model: keras.Model, first: str, train_batch_norm: bool = False) -> int:
    """Freeze the layers before the one named `first`; let it and the rest train.

    BatchNorm layers of a trunk stay frozen throughout, so that their moving statistics
    do not move; one in a head (`head_layers`) trains with it. A compiled model is
    compiled again, since Keras ignores a changed `trainable` otherwise; its optimizer
    starts afresh.

    Args:
        model: a flat model.
        first: name of the first layer to train.
        train_batch_norm: let a trunk's BatchNorm layers from `first` on train too.

    Returns:
        The number of parameters that train.

    Raises:
        ValueError: `model` has no layer of that name.
    """
    names = [layer.name for layer in model.layers]
    if first not in names:
        raise ValueError(
            f"`first` must name a layer of the model. Received: first={first!r}. "
            "`model.summary()` lists them."
        )
    start = names.index(first)
    head = head_layers(model)
    for index, layer in enumerate(model.layers):
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        may_train = train_batch_norm or not is_norm or layer in head
        layer.trainable = index >= start and may_train
    if model.compiled:
        model.compile_from_config(model.get_compile_config())
    return count_trainable(model)


def count_trainable(model: keras.Model) -> int:
    """Number of parameters of `model` that train."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)
