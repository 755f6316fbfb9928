"""A feature pyramid on any trunk, of separable convolutions."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers, layers

from kerasdl import strategies
from kerasdl._checks import check_one_of
from kerasdl._seeds import Seeds
from kerasdl.models import feature_levels

FILTERS = 96
STRIDES = (8, 16, 32, 64)
NECKS = ("fpn", "pan")


def pyramid(
    trunk: keras.Model,
    strides: Sequence[int] = STRIDES,
    filters: int = FILTERS,
    neck: str = "fpn",
    *,
    seeds: Seeds,
) -> tuple[Any, list[Any]]:
    """Maps of one depth at each stride, every one with what the coarser ones know.

    Strides beyond those of the trunk are convolutions of stride 2 of the last. Maps of
    odd sides are cut or filled to fit, so pictures may have any size.

    Args:
        trunk: as `models.feature_levels` takes it; its layers are shared.
        strides: powers of two, rising by twos from one of the trunk's.
        filters: of each map.
        neck: "fpn", or "pan", by which each also knows what the finer ones know.
        seeds: of initial weights.

    Returns:
        The input, and a tensor for each stride.

    Raises:
        ValueError: `strides` or `neck` are others.

    Reference:
        Lin et al., 2017, https://arxiv.org/abs/1612.03144, section 3; separable as in
        Tan et al., 2020, https://arxiv.org/abs/1911.09070, section 3.3; Liu et al.,
        2018, https://arxiv.org/abs/1803.01534, section 3.1
    """
    check_one_of("neck", neck, NECKS)
    inputs, maps = trunk_maps(trunk, strides)
    own = strides[: len(maps)]
    sides = [
        convolved(x, filters, f"lateral{stride}", seeds, kernel=1)
        for x, stride in zip(maps, own, strict=True)
    ]
    merged = [sides[-1]]
    for x, stride in zip(sides[-2::-1], own[-2::-1], strict=True):
        upper = layers.UpSampling2D(name=f"up{stride}")(merged[0])
        upper = _fitted(upper, x, f"{stride}")
        merged.insert(0, layers.Add(name=f"add{stride}")([x, upper]))
    found = [
        separable(x, filters, f"level{stride}", seeds)
        for x, stride in zip(merged, own, strict=True)
    ]
    if neck == "pan":
        for place, stride in enumerate(own[1:], 1):
            finer = separable(found[place - 1], filters, f"down{stride}", seeds, step=2)
            finer = _fitted(finer, found[place], f"_down{stride}")
            x = layers.Add(name=f"add_down{stride}")([found[place], finer])
            found[place] = separable(x, filters, f"path{stride}", seeds)
    for stride in strides[len(own) :]:
        found.append(separable(found[-1], filters, f"level{stride}", seeds, step=2))
    return inputs, found


def trunk_maps(
    trunk: keras.Model, strides: Sequence[int] = STRIDES
) -> tuple[Any, list[Any]]:
    """The input, and what the trunk knows at those of the strides that it has.

    Raises:
        ValueError: `strides` are others than `pyramid` takes.
    """
    levels = feature_levels(trunk)
    doubled = [strides[0] * 2**step for step in range(len(strides))] if strides else []
    if list(strides) != doubled or strides[0] not in levels:
        raise ValueError(
            "`strides` must double from one of the trunk's on. Received: "
            f"strides={tuple(strides)} for {trunk.name!r} of strides {tuple(levels)}"
        )
    own = [levels[stride].output for stride in strides if stride in levels]
    # Nested under its name, by which its layers freeze in groups.
    taps = keras.Model(trunk.inputs, own, name=trunk.name)
    inputs = keras.Input(trunk.input_shape[1:], name="pixels")
    return inputs, keras.tree.flatten(taps(inputs))


def _fitted(x: Any, like: Any, name: str) -> Any:
    """`x` cut or filled with zeros to the sides of `like`."""
    pairs = zip(x.shape[1:3], like.shape[1:3], strict=True)
    rows, columns = (have - want for have, want in pairs)
    if rows > 0 or columns > 0:
        cut = ((0, max(rows, 0)), (0, max(columns, 0)))
        x = layers.Cropping2D(cut, name=f"cut{name}")(x)
    if rows < 0 or columns < 0:  # pooling without padding rounds sides down
        missing = ((0, max(-rows, 0)), (0, max(-columns, 0)))
        x = layers.ZeroPadding2D(missing, name=f"pad{name}")(x)
    return x


def convolved(x: Any, filters: int, name: str, seeds: Seeds, kernel: int) -> Any:
    """Convolution without bias, BatchNorm."""
    init = initializers.GlorotUniform(seed=seeds())
    x = layers.Conv2D(
        filters, kernel, use_bias=False, kernel_initializer=init, name=f"{name}_conv"
    )(x)
    return batch_norm(name)(x)


def separable(x: Any, filters: int, name: str, seeds: Seeds, step: int = 1) -> Any:
    """Separable 3x3 convolution, BatchNorm, ReLU."""
    x = separable_layer(filters, name, seeds, step)(x)
    return layers.ReLU(name=f"{name}_relu")(batch_norm(name)(x))


def separable_layer(
    filters: int, name: str, seeds: Seeds, step: int = 1
) -> layers.Layer:
    """A separable 3x3 convolution without bias."""
    return layers.SeparableConv2D(
        filters,
        3,
        step,
        "same",
        use_bias=False,
        depthwise_initializer=initializers.GlorotUniform(seed=seeds()),
        pointwise_initializer=initializers.GlorotUniform(seed=seeds()),
        name=f"{name}_conv",
    )


def batch_norm(name: str) -> layers.Layer:
    """BatchNorm that a few hundred batches settle: Keras's 0.99 would lag behind.

    It is of the whole batch, on however many devices.
    """
    several = strategies.num_replicas() > 1
    return layers.BatchNormalization(
        momentum=0.95, synchronized=several, name=f"{name}_bn"
    )


def prior_bias(probability: float) -> float:
    """The logit of a probability."""
    return -math.log((1 - probability) / probability)
