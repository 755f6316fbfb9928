"""What a model is made of and which of it trains, as a table."""

import math

import keras
import pandas as pd
from keras import layers

from kerasdl._keras_internals import trainable_of
from kerasdl._layer_walks import own_layers, own_weights

from .depth_groups import depth_groups

TRAINS, FROZEN, PARTLY = "trains", "frozen", "partly"


def layer_table(model: keras.Model) -> pd.DataFrame:
    """A row for each layer of `model`, those of nested models in their place.

    Columns: `layer`, its name; `type`; `output`, its shape; `parameters`; `group`, its
    index in `depth_groups`; `state`, "trains", "frozen", "partly", or "" without
    weights. BatchNorm's moving statistics count as parameters, not for the state; a
    weight that layers share counts in the first of them.

    Raises:
        ValueError: `model` is not built.

    Example:
        ```
        table = kd.train.layer_table(model)
        table[table["state"] == "trains"]
        ```
    """
    seen: set[int] = set()
    return pd.DataFrame(
        {
            "layer": layer.name,
            "type": type(layer).__name__,
            "output": _output_shape(layer),
            "parameters": sum(math.prod(v.shape) for v in _unseen(layer, seen)),
            "group": number,
            "state": _state(layer),
        }
        for number, group in enumerate(depth_groups(model))
        for layer in group
    )


def summary(model: keras.Model) -> None:
    """Print `layer_table`, a line before each group, and the parameters that train.

    Lines of layers that train are marked with "*", of those that do in part with "+".

    Raises:
        ValueError: `model` is not built.

    Example:
        ```
        kd.train.summary(model)
        ```
    """
    table = layer_table(model)
    marks = table["state"].map({TRAINS: "*", PARTLY: "+"}).fillna("")
    shown = table.drop(columns="group").assign(
        layer=marks.str.ljust(2) + table["layer"],
        parameters=table["parameters"].map("{:,}".format),
    )
    text = {"layer", "type", "output", "state"}
    widths = {
        name: max(map(len, [name, *shown[name]])) for name in shown if name in text
    }
    formatters = {
        name: lambda value, width=width: value.ljust(width)
        for name, width in widths.items()
    }
    shown = shown.rename(columns={name: name.ljust(widths[name]) for name in widths})
    formatters = {name.ljust(widths[name]): f for name, f in formatters.items()}
    header, *lines = shown.to_string(index=False, formatters=formatters).splitlines()
    rule = "-" * len(header)
    print(f"{model.name}\n{header}")
    group = None
    for line, number in zip(lines, table["group"], strict=True):
        if number != group:
            group = number
            print(f"{rule[:2]} group {group} {rule}"[: len(rule)])
        print(line.rstrip())
    total = sum(math.prod(v.shape) for v in model.weights)
    trained = sum(math.prod(v.shape) for v in model.trainable_weights)
    print(f"{rule}\n{trained:,} of {total:,} parameters train (*)")


def _unseen(layer: layers.Layer, seen: set[int]) -> list[keras.Variable]:
    """The weights of `layer` that are not in `seen`, where they are put."""
    weights = [weight for weight in own_weights(layer) if id(weight) not in seen]
    seen.update(map(id, weights))
    return weights


def _state(layer: layers.Layer) -> str:
    if not own_weights(layer):
        return ""
    own = [v for part in own_layers(layer) for v in trainable_of(part)]
    trained = [weight for weight in own_weights(layer) if weight.trainable]
    if trained:
        return TRAINS if len(trained) == len({id(v) for v in own}) else PARTLY
    return FROZEN


def _output_shape(layer: layers.Layer) -> str:
    outputs = keras.tree.flatten(getattr(layer, "output", None))
    return ", ".join(
        str(tuple(output.shape)) for output in outputs if output is not None
    )
