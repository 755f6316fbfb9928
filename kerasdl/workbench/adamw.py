"""The optimizer that recipes train networks with from random weights."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def adamw(learning_rate: float, weight_decay: float) -> "keras.optimizers.AdamW":
    """AdamW that decays no biases and nothing of normalisations.

    A decayed scale or bias only changes what a normalisation undoes.
    """
    import keras

    optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
