"""Squeeze and excitation (Hu, Shen & Sun, 2017), https://arxiv.org/abs/1709.01507."""

from typing import Any

from keras import layers

from ._blocks import conv, divisible_by_8
from ._stages import Block, Seed, begin_block, run


def squeeze_excitation(
    reduction: int = 4,
    *,
    activation: str = "sigmoid",
    name: str | None = None,
    seed: Seed = None,
) -> Block:
    """Multiply each channel by a factor in [0, 1] that depends on all of them.

    Output: of the input's shape.

    Args:
        reduction: divides the channels between the two 1x1 convolutions, which are
            rounded to a multiple of 8.
        activation: makes the factors; MobileNetV3 takes `"hard_sigmoid"`.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    name, seeds = begin_block("squeeze_excitation", name, seed, reduction=reduction)

    def function(x: Any) -> Any:
        channels = x.shape[-1]
        reduced = divisible_by_8(channels / reduction)
        factors = run(
            [
                layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool"),
                conv(reduced, 1, f"{name}_conv", seeds, activation="relu"),
                conv(channels, 1, f"{name}_conv_1", seeds, activation=activation),
            ],
            x,
        )
        return layers.Multiply(name=f"{name}_mul")([x, factors])

    return Block(name, function)
