"""The optimizer that recipes train networks with from random weights."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def adamw(
    learning_rate: float, weight_decay: float, ema: float = 0.0
) -> "keras.optimizers.AdamW":
    """AdamW that decays no biases and nothing of normalisations.

    A decayed scale or bias only changes what a normalisation undoes.

    Args:
        learning_rate: of all layers.
        weight_decay: of kernels and embeddings.
        ema: momentum of an exponential mean of the weights over the steps, in [0, 1),
            which takes their place at the end of `fit`; 0 keeps none. Validate by it
            with `keras.callbacks.SwapEMAWeights()`.
    """
    import keras

    mean = {"use_ema": True, "ema_momentum": ema} if ema else {}
    optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay, **mean)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
