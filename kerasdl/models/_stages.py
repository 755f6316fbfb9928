"""What a network's table becomes: layers and blocks, one after the other.

`_network.build_network` strings them together, functionally or as a Sequential.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras

from kerasdl._checks import check_positive_int
from kerasdl._seeds import resolve_seed

Stage = keras.Layer
Seeds = Callable[[], int]  # the next seed of a network
# Of a block: its first seed, or the seeds of the network it is a part of.
Seed = int | Seeds | None


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
        # A tensor of values says nothing about the sizes of the next one.
        sizes = x.shape[1:-1] if isinstance(x, keras.KerasTensor) else (None, None)
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


def begin_block(
    kind: str, name: str | None, seed: Seed, **sizes: int
) -> tuple[str, Seeds]:
    """Check the `sizes` of a block; return its name, numbered if None, and its seeds.

    Raises:
        ValueError: one of `sizes` is no integer of at least 1, or `seed` is no seed.
    """
    for argument, size in sizes.items():
        check_positive_int(argument, size)
    return name or f"{kind}_{keras.backend.get_uid(kind)}", seed_stream(seed)


def seed_stream(seed: Seed) -> Seeds:
    """Return what gives `seed` and the integers after it; a stream goes on.

    None is drawn, and printed, once the first is asked for.

    Raises:
        ValueError: `seed` is none of these.
    """
    if callable(seed):
        return seed
    first = _drawn() if seed is None else itertools.count(resolve_seed(seed))
    return first.__next__


def _drawn() -> Iterator[int]:
    yield from itertools.count(resolve_seed(None))
