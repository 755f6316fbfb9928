"""Parts that ResNet brought and its successors keep: stem, convolutions, sum, top."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import conv, dense_softmax, he_fan_out
from ._stages import Block, Stage, run

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


def add_to_input(
    name: str,
    filters: int,
    strides: int,
    branch: Callable[[], Iterable[Stage]],
    seeds: Seeds,
    *,
    projection: bool | None = None,
    use_bias: bool = False,
) -> Block:
    """Make a block that adds what `branch` gives to what comes in, and a ReLU.

    Args:
        name: of the block.
        filters: that leave `branch`.
        strides: of `branch`.
        branch: lists its stages.
        seeds: give the seeds of initializers.
        projection: send the input through a 1x1 convolution (equation 2 of the paper)
            instead of past all (equation 1); None does where its shape changes.
        use_bias: of that convolution.
    """

    def shortcut() -> Iterator[Stage]:
        yield from he_conv(
            filters, 1, f"{name}_0", seeds, strides=strides, use_bias=use_bias
        )
        yield norm(f"{name}_0_bn")

    def function(x: Any) -> Any:
        same_shape = strides == 1 and x.shape[-1] == filters
        if projection is False and not same_shape:
            raise ValueError(
                "`projection` must not be False where the shape changes. Received: "
                f"projection=False, strides={strides}, {filters} channels of "
                f"{x.shape[-1]}. Pass None or True."
            )
        past = x if same_shape and not projection else run(shortcut(), x)
        total = layers.Add(name=f"{name}_add")([past, run(branch(), x)])
        return layers.ReLU(name=f"{name}_out")(total)

    return Block(name, function)


def stage_of_blocks(
    name: str, num_blocks: int, halving: int | None, make: Callable[..., Block]
) -> Block:
    """Chain blocks `<name>_block1` and so on, of which number `halving` has strides 2.

    `make` takes the strides and the name of a block.
    """
    blocks = [
        make(strides=2 if i == halving else 1, name=f"{name}_block{i}")
        for i in range(1, num_blocks + 1)
    ]
    return Block(name, partial(run, blocks))


def pooled_top(seeds: Seeds, classes: int) -> Iterator[Stage]:
    """Yield the mean of each map, and a dense layer."""
    yield layers.GlobalAveragePooling2D(name="avg_pool")
    yield dense_softmax(classes, seeds)
