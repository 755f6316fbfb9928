"""What a network's table becomes: layers and blocks, one after the other.

`_network.build_network` strings them together, functionally or as a Sequential.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import keras

from kerasdl._checks import check_positive_int
from kerasdl._seeds import Seeds

Stage: TypeAlias = keras.Layer


Seed = int | Seeds | None  # of a block: its first, or those of its network


class Block(keras.Sequential):
    """A part of a network that branches, or that needs an operation of `keras.ops`.

    The first tensor that it is called on tells it the channels: it then builds its
    layers and is a plain Sequential from there on, so that no saved model holds a class
    of kerasdl. A network never calls its blocks: the functional build takes their
    layers for its own (see `run`), the Sequential one makes a functional model of each.

    Args:
        name: none of a layer's.
        function: of the tensor that comes in; returns the one that goes out.
    """

    def __init__(self, name: str, function: Callable[[Any], Any]) -> None:
        super().__init__(name=name)
        self.function = function

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Build the layers for the channels of `x`, and return what they make of it."""
        sizes = x.shape[1:-1]
        if not isinstance(x, keras.KerasTensor):  # the next values may have others
            sizes = (None,) * len(sizes)
        inputs = keras.Input((*sizes, x.shape[-1]))
        graph = keras.Model(inputs, self.function(inputs), name=f"{self.name}_graph")
        self.add(keras.Input(inputs.shape[1:]))
        self.add(graph)
        del self.function
        self.__class__ = keras.Sequential
        return self(x, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Refuse: there are no layers yet.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "A block must have met a tensor before it is saved or copied. Received: "
            f"block={self.name!r}. Call it, or begin its Sequential with `keras.Input`."
        )


def run(stages: Iterable[Stage], x: Any) -> Any:
    """Send `x` through `stages`, one after the other; blocks give their layers."""
    for stage in stages:
        x = stage.function(x) if isinstance(stage, Block) else stage(x)
    return x


def seeds_from(seed: Seed) -> Seeds:
    """The seeds of a network that `seed` begins, or is."""
    return seed if isinstance(seed, Seeds) else Seeds(seed)


def begin_block(
    kind: str, name: str | None, seed: Seed, **sizes: int
) -> tuple[str, Seeds]:
    """Check the `sizes` of a block; return its name, numbered if None, and its seeds.

    Raises:
        ValueError: one of `sizes` is no integer of at least 1, or `seed` is no seed.
    """
    for argument, size in sizes.items():
        check_positive_int(argument, size)
    seeds = seeds_from(seed)
    return name or f"{kind}_{keras.backend.get_uid(kind)}", seeds
