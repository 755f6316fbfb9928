"""One model from raw columns to the answer, of layers that Keras brings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops

from .columns import Category, Columns
from .data import CATEGORIES, NUMBERS
from .target import Target

# Whole numbers that no category has: what a hole, and what no whole number becomes.
_HOLE, _NO_CATEGORY, _OTHER = -(2**30), 2**30, 2**30 + 1


def with_raw_columns(
    model: keras.Model, columns: Columns, target: Target
) -> keras.Model:
    """Put vocabularies, fill values and scales before `model`, and the unit behind it.

    It takes a dict with each column under its name, `(batch, 1)`: text of categories as
    strings, where "" is a hole; numbers as float32, where NaN is one. It answers
    `(batch, 1)` in the target's own unit, or `(batch, classes)` probabilities.

    Args:
        model: takes what `TableData` gives.
        columns: of that data.
        target: of that data.
    """
    with _float32():
        # A column may have the name of any layer: inside they stand by number.
        inner = _inputs(columns, [f"column{n}" for n, _ in enumerate(columns.names)])
        by_name = dict(zip(columns.names, inner, strict=True))
        answer = _own_unit(model(_encoded(columns, by_name)), target)
        name = _free_name("encoded_columns", columns.names)
        whole = keras.Model(inner, answer, name=name)
        raw = _inputs(columns, columns.names)
        by_name = dict(zip(columns.names, raw, strict=True))
        return keras.Model(by_name, whole(raw), name="raw_columns")


def network_of(raw_model: keras.Model) -> keras.Model:
    """The network that `with_raw_columns` was given, which takes encoded rows."""
    network = raw_model
    for _ in range(2):
        network = next(one for one in network.layers if isinstance(one, keras.Model))
    return network


def _inputs(columns: Columns, names: list[str]) -> list[Any]:
    kinds = [one.is_text for one in columns.categories] + [False] * len(columns.numbers)
    return [
        keras.Input((1,), dtype="string" if is_text else "float32", name=name)
        for name, is_text in zip(names, kinds, strict=True)
    ]


def _encoded(columns: Columns, raw: dict[str, Any]) -> dict[str, Any]:
    encoded = {}
    if columns.categories:
        codes = [
            _text_codes(column, place, raw[column.name])
            if column.is_text
            else _number_codes(column, place, raw[column.name])
            for place, column in enumerate(columns.categories, 1)
        ]
        encoded[CATEGORIES] = ops.cast(_side_by_side(codes), "int32")
    if columns.numbers:
        encoded[NUMBERS] = _numbers(columns, raw)
    return encoded


def with_own_unit(model: keras.Model, target: Target) -> keras.Model:
    """`model`, which takes encoded rows, answering in the target's own unit."""
    inputs = {
        tensor.name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name)
        for tensor in model.inputs
    }
    with _float32():
        answer = _own_unit(model(inputs), target)
        return keras.Model(inputs, answer, name="encoded_columns")


@contextmanager
def _float32() -> Iterator[None]:
    """Raw values and answers need all digits, whatever the network computes in."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def _free_name(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name = f"{name}_"
    return name


def _text_codes(column: Category, place: int, value: Any) -> Any:
    words = [*column.values, ""] if column.has_hole else [*column.values]
    lookup = layers.StringLookup(
        vocabulary=words, oov_token=_free_name("[unknown]", words), name=f"code{place}"
    )
    return lookup(value)


def _number_codes(column: Category, place: int, value: Any) -> Any:
    whole = ops.where(ops.equal(value, ops.round(value)), value, float(_NO_CATEGORY))
    whole = ops.where(ops.isnan(value), float(_HOLE), whole)
    known = [*column.values, _HOLE] if column.has_hole else [*column.values]
    lookup = layers.IntegerLookup(
        vocabulary=known, oov_token=_OTHER, name=f"code{place}"
    )
    # Beyond what an integer holds lies nothing that is known.
    whole = ops.clip(whole, float(_HOLE), float(_NO_CATEGORY))
    return lookup(ops.cast(whole, "int64"))


def _numbers(columns: Columns, raw: dict[str, Any]) -> Any:
    filled, flags = [], []
    for column in columns.numbers:
        value = raw[column.name]
        holes = ops.isnan(value)
        filled.append(ops.where(holes, column.fill, value))
        if column.has_hole:
            flags.append(ops.cast(holes, "float32"))
    scaled = layers.Normalization(
        mean=[column.mean for column in columns.numbers],
        variance=[column.scale**2 for column in columns.numbers],
        name="standardised",
    )(_side_by_side(filled))
    return _side_by_side([scaled, *flags])


def _side_by_side(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def _own_unit(answer: Any, target: Target) -> Any:
    if not target.is_regression:
        return answer
    if target.scale != "none":
        answer = layers.Rescaling(target.spread, target.mean, name="unit")(answer)
    return ops.exp(answer) if target.scale == "log" else answer
