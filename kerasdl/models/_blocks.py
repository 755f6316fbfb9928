"""Layers of the networks: each initializer takes the next seed of its network."""

from collections.abc import Callable, Iterator

from keras import initializers, layers

from kerasdl._seeds import Seeds

from ._stages import Stage


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


def conv_norm_relu(
    filters: int,
    kernel: int,
    name: str,
    seeds: Seeds,
    *,
    strides: int = 1,
    batch_norm: bool = True,
    scale: bool = True,
) -> Iterator[Stage]:
    """Yield a convolution from He's initializer, BatchNorm if wished, and ReLU.

    From Glorot's the signal fades where nothing normalises it.
    """
    yield conv(
        filters,
        kernel,
        name,
        seeds,
        strides=strides,
        use_bias=not batch_norm,
        initializer=initializers.HeNormal,
    )
    if batch_norm:
        yield layers.BatchNormalization(scale=scale, name=f"{name}_bn")
    yield layers.ReLU(name=f"{name}_relu")


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


def activation_layer(activation: str, name: str) -> layers.Layer:
    """Make the layer of `activation`, for `"relu6"` as converters know it."""
    if activation == "relu6":
        return layers.ReLU(6.0, name=name)
    return layers.Activation(activation, name=name)


def dense(
    units: int,
    name: str,
    seeds: Seeds,
    *,
    activation: str | None = None,
    dtype: str | None = None,
    initializer: Callable[..., initializers.Initializer] = initializers.GlorotUniform,
) -> layers.Dense:
    """Make a dense layer whose `initializer` has a seed of its own."""
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=initializer(seed=seeds()),
        dtype=dtype,
        name=name,
    )


def dense_softmax(
    classes: int,
    seeds: Seeds,
    name: str = "predictions",
    initializer: Callable[..., initializers.Initializer] = initializers.GlorotUniform,
) -> layers.Dense:
    """Make the last layer.

    float32 under every precision policy: half precision would round probabilities.
    """
    return dense(
        classes,
        name,
        seeds,
        activation="softmax",
        dtype="float32",
        initializer=initializer,
    )


def softmax() -> layers.Activation:
    """Make the last layer `predictions` where a convolution made the logits."""
    return layers.Activation("softmax", dtype="float32", name="predictions")


def check_alpha(alpha: float) -> None:
    """Raise ValueError unless the width multiplier leaves one filter of 32."""
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or alpha < 1 / 32:
        raise ValueError(
            f"`alpha` must be a number of at least 1/32. Received: alpha={alpha!r}"
        )


def check_ratio(ratio: int, filters: tuple[int, ...]) -> None:
    """Raise ValueError unless `ratio` leaves one filter of the fewest of `filters`."""
    is_int = isinstance(ratio, int) and not isinstance(ratio, bool)
    if not is_int or not 1 <= ratio <= min(filters):
        raise ValueError(
            f"`ratio` must be an integer from 1 to {min(filters)}, the filters of the "
            f"first convolution. Received: ratio={ratio!r}"
        )


def divisible_by_8(filters: float) -> int:
    """Round to a multiple of 8, at least 8, that is not below 90 % of `filters`.

    Reference:
        https://arxiv.org/abs/1801.04381; the paper's code, `make_divisible`
    """
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded
