"""What a network's table becomes: a list of layers and of blocks.

`_network.build_network` strings such a list together, functionally or as a Sequential.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from keras import initializers, layers

Seeds = Callable[[], int]  # the next seed of a network


@dataclass(frozen=True)
class Block:
    """A part of a network that branches, or that needs an operation of `keras.ops`.

    The functional build calls `function`; in the Sequential one it becomes a model
    `name` of its own, as a Sequential holds layers alone.

    Attributes:
        name: none of a layer's.
        function: of the tensor that comes in; returns the one that goes out.
    """

    name: str
    function: Callable[[Any], Any]

    def __call__(self, x: Any) -> Any:
        """Return what `function` makes of `x`."""
        return self.function(x)


Stage = layers.Layer | Block


def run(stages: Iterable[Stage], x: Any) -> Any:
    """Send `x` through `stages`, one after the other."""
    for stage in stages:
        x = stage(x)
    return x


def he_fan_out(seed: int) -> initializers.Initializer:
    """He's normal initialisation, scaled by what goes out of a kernel.

    For a depthwise kernel this counts its own channel alone; what goes in, as Keras
    counts it, would be all of them.

    Reference:
        https://arxiv.org/abs/1502.01852, equation 14
    """
    return initializers.VarianceScaling(
        2.0, mode="fan_out", distribution="truncated_normal", seed=seed
    )


def conv(
    filters: int,
    kernel: int,
    name: str,
    seeds: Seeds,
    *,
    strides: int = 1,
    padding: str = "same",
    activation: str | None = None,
    use_bias: bool = True,
    initializer: Callable[..., initializers.Initializer] = initializers.GlorotUniform,
) -> layers.Conv2D:
    """Make a convolution whose `initializer` has a seed of its own."""
    return layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding=padding,
        activation=activation,
        use_bias=use_bias,
        kernel_initializer=initializer(seed=seeds()),
        name=name,
    )


def bare_conv(
    filters: int, kernel: int, name: str, seeds: Seeds, *, strides: int = 1
) -> layers.Conv2D:
    """Make a convolution from `he_fan_out`, no bias: a normalisation follows."""
    return conv(
        filters,
        kernel,
        name,
        seeds,
        strides=strides,
        use_bias=False,
        initializer=he_fan_out,
    )


def depthwise(
    kernel: int, name: str, seeds: Seeds, *, strides: int = 1, padding: str = "same"
) -> layers.DepthwiseConv2D:
    """Make a filter for each channel, without a bias: a normalisation follows."""
    return layers.DepthwiseConv2D(
        kernel,
        strides=strides,
        padding=padding,
        use_bias=False,
        depthwise_initializer=he_fan_out(seed=seeds()),
        name=name,
    )


def dense(
    units: int,
    name: str,
    seeds: Seeds,
    *,
    activation: str | None = None,
    dtype: str | None = None,
) -> layers.Dense:
    """Make a dense layer whose initializer has a seed of its own."""
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=initializers.GlorotUniform(seed=seeds()),
        dtype=dtype,
        name=name,
    )


def dense_softmax(classes: int, seeds: Seeds) -> layers.Dense:
    """Make the last layer, `predictions`.

    float32 under every precision policy: half precision would round probabilities.
    """
    return dense(classes, "predictions", seeds, activation="softmax", dtype="float32")


def softmax() -> layers.Activation:
    """Make the last layer `predictions` where a convolution made the logits."""
    return layers.Activation("softmax", dtype="float32", name="predictions")


def check_alpha(alpha: float) -> None:
    """Raise ValueError unless the width multiplier leaves one filter of 32."""
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or alpha < 1 / 32:
        raise ValueError(
            f"`alpha` must be a number of at least 1/32. Received: alpha={alpha!r}"
        )


def divisible_by_8(filters: float) -> int:
    """Round to a multiple of 8, at least 8, that is not below 90 % of `filters`.

    Reference:
        https://arxiv.org/abs/1801.04381; the paper's code, `make_divisible`
    """
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded
