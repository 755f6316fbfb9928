"""How many weights of each layer are 0."""

from typing import TYPE_CHECKING

import keras

from kerasdl._keras_internals import trainable_of
from kerasdl._layer_walks import layers_in_order

if TYPE_CHECKING:
    import pandas as pd


def sparsity_table(model: keras.Model) -> "pd.DataFrame":
    """Count the zeros in the kernels of a model, those of the models inside it too.

    Args:
        model: built.

    Returns:
        One row for each layer with a kernel (a trainable weight of two dimensions or
        more that is so called, as in convolutions and dense layers), in order:
        `layer` (its name), `parameters` (of the kernel; biases and normalisation are
        left out), `zeros` (how many of them are 0) and `sparsity` (their share, in [0,
        1]).

    Raises:
        ValueError: `model` is not built.
    """
    import pandas as pd

    if not model.built:
        raise ValueError(
            f"`model` must be built. Received: {model.name!r}, which has no weights yet"
        )
    rows = []
    for layer in layers_in_order(model):
        kernels = [
            weight
            for weight in trainable_of(layer)
            if weight.ndim > 1 and "kernel" in weight.name
        ]
        if not kernels:
            continue
        parameters = sum(kernel.numpy().size for kernel in kernels)
        zeros = sum(int((kernel.numpy() == 0).sum()) for kernel in kernels)
        rows.append(
            {
                "layer": layer.name,
                "parameters": parameters,
                "zeros": zeros,
                "sparsity": zeros / parameters,
            }
        )
    return pd.DataFrame(rows, columns=["layer", "parameters", "zeros", "sparsity"])
