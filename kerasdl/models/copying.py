"""Copy weights from model to model, so that none is lost and none goes astray."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import keras

from kerasdl._layer_walks import direct_weights, layers_in_order

from .adapted import finalize_adapted


class Owner(NamedTuple):
    """A layer, or a model with weights of its own, and the weights it stands for."""

    path: tuple[str, ...]  # names of the models around it, and its own
    layer: keras.Layer
    weights: list[keras.Variable]

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[-1]

    def shapes(self) -> list[tuple[int, ...]]:
        """Of its weights."""
        return [tuple(weight.shape) for weight in self.weights]

    def assign(self, values: Sequence[Any]) -> None:
        """Give its weights these values; `finalize_adapted` is to follow."""
        for weight, value in zip(self.weights, values, strict=True):
            weight.assign(value)


def owners(model: keras.Model, around: tuple[str, ...] = ()) -> Iterator[Owner]:
    """All in `model` that have weights; layers of the models inside it are its own."""
    if own := direct_weights(model):
        yield Owner((*around, stable_name(model.name)), model, own)
    for layer in model.layers:
        path = (*around, stable_name(layer.name))
        if isinstance(layer, keras.Model):
            yield from owners(layer, path)
        elif layer.weights:
            yield Owner(path, layer, layer.weights)


def stable_name(name: str) -> str:
    """Undo Keras's numbering of normalisation layers that were given no name."""
    return re.sub(r"^normalization_\d+$", "normalization", name)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights of `source` to the same layers in `target`.

    From a head on cached activations, say, to the same head on its trunk. Layers of the
    models inside `source` and `target` count as theirs. The same layer is that of the
    same name in models of the same names; else, where both have layers of the same
    names in one order (Keras's numbers aside, which the next model of a build gets),
    that at the same place; else the only one of its name.

    Raises:
        ValueError: `target` lacks one of the layers, has it in another shape, or which
            one it is cannot be told; nothing is copied then.

    Example:
        ```
        kd.models.copy_weights(model, kd.models.with_input_size(model, 48))
        ```
    """
    given, takers = list(owners(source)), list(owners(target))
    pairs, faults = _matched(given, takers)
    faults += [
        f"layer {one.name!r} has shapes {other.shapes()} instead of {one.shapes()}"
        for one, other in pairs
        if one.shapes() != other.shapes()
    ]
    if faults:
        raise ValueError(
            "`target` must hold every layer of `source` that has weights. Received: "
            f"source={source.name!r}, target={target.name!r}, where {first(faults)}."
        )
    for one, other in pairs:
        other.assign([weight.numpy() for weight in one.weights])
    finalize_adapted(target)


def copy_in_order(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights of `source` to `target`, a clone of it, place by place.

    Raises:
        ValueError: they are not made of the same layers.
    """
    given, takers = (
        [
            Owner((layer.name,), layer, own)
            for layer in layers_in_order(model)
            if (own := direct_weights(layer))
        ]
        for model in (source, target)
    )
    made_of = [
        [(type(one.layer), one.shapes()) for one in part] for part in (given, takers)
    ]
    if made_of[0] != made_of[1]:
        raise ValueError(
            "`model` must be made of layers that can be made again as they are. "
            f"Received: model={source.name!r}, {len(given)} of whose layers have "
            f"weights, where {len(takers)} of the same shapes were expected"
        )
    for one, other in zip(given, takers, strict=True):
        other.assign([weight.numpy() for weight in one.weights])
    finalize_adapted(target)


def repeated(names: Sequence[str]) -> set[str]:
    """Those of `names` that are there more than once."""
    return {name for name, count in Counter(names).items() if count > 1}


def first(faults: list[str], limit: int = 5) -> str:
    """A text of the first of `faults`, and of how many there are."""
    more = [f"and {len(faults) - limit} more"] if len(faults) > limit else []
    return "; ".join(faults[:limit] + more)


def _matched(
    given: list[Owner], takers: list[Owner]
) -> tuple[list[tuple[Owner, Owner]], list[str]]:
    """Pairs of the same layers, and why others are in none."""
    paths = {taker.path: taker for taker in takers}
    own = {one.path for one in given}
    if len(paths) == len(takers) and len(own) == len(given) and own <= paths.keys():
        return [(one, paths[one.path]) for one in given], []
    names = [[one.name for one in part] for part in (given, takers)]
    bare = [[re.sub(r"_\d+$", "", name) for name in part] for part in names]
    if names[0] == names[1] or (bare[0] == bare[1] and not {*names[0]} <= {*names[1]}):
        return list(zip(given, takers, strict=True)), []
    named = {taker.name: taker for taker in takers}
    twice = repeated(names[0]) | repeated(names[1]) & set(names[0])
    faults = [f"several layers are named {name!r}" for name in sorted(twice)]
    faults += [
        f"layer {one.name!r} is missing" for one in given if one.name not in named
    ]
    return [(one, named[one.name]) for one in given if one.name in named], faults
