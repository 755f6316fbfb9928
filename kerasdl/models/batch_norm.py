"""Batch normalisation from first principles, to be read.

Ioffe & Szegedy, 2015, https://arxiv.org/abs/1502.03167. The networks of kerasdl hold
`keras.layers.BatchNormalization`, which computes the same and which a saved file can
name without kerasdl.
"""

from typing import Any

from keras import layers, ops


class BatchNorm(layers.Layer):
    """Normalise each channel to mean 0 and variance 1, then scale and shift it.

    In training with the mean and the variance of the batch (algorithm 1 of the paper),
    else, or while `trainable` is False, with their moving averages (algorithm 2).

    Input and output: `(batch, channels)` or `(batch, height, width, channels)`.
    Weights, each `(channels,)`: `gamma` and `beta` are learned, `moving_mean` and
    `moving_variance` follow the batches.

    Args:
        momentum: of the moving averages, in [0, 1]; what each batch leaves of them.
        epsilon: added to the variance: channels that do not vary stay finite.

    Reference:
        https://arxiv.org/abs/1502.03167, algorithms 1 and 2
    """

    def __init__(
        self, momentum: float = 0.99, epsilon: float = 1e-3, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(
                f"`momentum` must be in [0, 1]. Received: momentum={momentum!r}"
            )
        if epsilon <= 0:
            raise ValueError(f"`epsilon` must be above 0. Received: epsilon={epsilon}")
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the four weights of each channel."""
        shape = input_shape[-1:]
        self.gamma = self.add_weight(shape, "ones", name="gamma")
        self.beta = self.add_weight(shape, "zeros", name="beta")
        self.moving_mean = self.add_weight(
            shape, "zeros", trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, "ones", trainable=False, name="moving_variance"
        )

    def call(self, x: Any, training: bool = False) -> Any:
        """Normalise `x`, scale and shift it."""
        if training and self.trainable:
            mean, variance = batch_statistics(x)
            for moving, new in (
                (self.moving_mean, mean),
                (self.moving_variance, variance),
            ):
                moving.assign(self.momentum * moving + (1 - self.momentum) * new)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        return normalise(
            x, mean, variance, gamma=self.gamma, beta=self.beta, epsilon=self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


def batch_statistics(x: Any) -> tuple[Any, Any]:
    """Return the mean and the variance of each channel, `(channels,)`.

    Over all images, and over all their places, as every place shares a channel's
    filter. The variance divides by the number of values, not by one less.
    """
    axes = tuple(range(len(x.shape) - 1))
    mean = ops.mean(x, axis=axes)
    return mean, ops.mean(ops.square(x - mean), axis=axes)


def normalise(
    x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float
) -> Any:
    """Return `gamma * (x - mean) / sqrt(variance + epsilon) + beta`."""
    return gamma * (x - mean) / ops.sqrt(variance + epsilon) + beta
