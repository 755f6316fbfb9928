"""Parts that ResNet brought and its successors keep: stem, convolutions, top."""

from collections.abc import Iterator

from keras import layers

from ._blocks import Seeds, Stage, conv, dense_softmax, he_fan_out

STEMS = ("imagenet", "cifar")


def he_conv(
    filters: int,
    kernel: int,
    name: str,
    seeds: Seeds,
    *,
    strides: int = 1,
    use_bias: bool = False,
) -> Iterator[Stage]:
    """Yield a convolution that pads all sides alike, from `he_fan_out`.

    With strides, Keras's "same" pads even images only at their ends.
    """
    if strides > 1 and kernel > 1:
        yield layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")
    yield conv(
        filters,
        kernel,
        f"{name}_conv",
        seeds,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=use_bias,
        initializer=he_fan_out,
    )


def norm(name: str) -> layers.BatchNormalization:
    """Make a normalisation with the epsilon of the ImageNet weights."""
    return layers.BatchNormalization(epsilon=1.001e-5, name=name)


def norm_relu(name: str) -> Iterator[Stage]:
    """Yield the normalisation `<name>_bn` and the activation `<name>_relu`."""
    yield norm(f"{name}_bn")
    yield layers.ReLU(name=f"{name}_relu")


def stem_stages(
    stem: str, seeds: Seeds, *, use_bias: bool = False, preactivation: bool = False
) -> Iterator[Stage]:
    """Yield what comes before the first block.

    Args:
        stem: `"imagenet"`, a 7x7 convolution and a 3x3 maximum that quarter the image,
            or `"cifar"`, a 3x3 convolution that keeps its size.
        seeds: gives the seed of its initializer.
        use_bias: of the convolution.
        preactivation: the blocks begin with normalisation, not the stem.
    """
    is_large = stem == "imagenet"
    kernel, strides = (7, 2) if is_large else (3, 1)
    yield from he_conv(64, kernel, "conv1", seeds, strides=strides, use_bias=use_bias)
    if not preactivation:
        yield from norm_relu("conv1")
    if is_large:
        yield layers.ZeroPadding2D(1, name="pool1_pad")
        yield layers.MaxPooling2D(3, strides=2, name="pool1_pool")


def pooled_top(seeds: Seeds, classes: int) -> Iterator[Stage]:
    """Yield the mean of each map, and a dense layer."""
    yield layers.GlobalAveragePooling2D(name="avg_pool")
    yield dense_softmax(classes, seeds)
