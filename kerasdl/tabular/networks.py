"""Networks of tables: embeddings of categories beside numbers, and dense layers."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import initializers, ops

from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._seeds import DrawnSeeds

from ._rare_dropout import dropout_layer
from .data import CATEGORIES, NUMBERS, TableData

# Widths of an embedding by the number of its categories.
SIZES = {
    # fast.ai's lesson 3
    "lesson": lambda count: min(50, (count + 1) // 2),
    # fastai 2.8's `emb_sz_rule`
    "fastai": lambda count: min(600, round(1.6 * count**0.56)),
}
_MOMENTUM = 0.9  # of BatchNorm's statistics: trainings on tables are short
_EMBEDDED = 0.05  # of a uniform start, Keras's own


def entity_embeddings(
    data: TableData,
    layers: Sequence[int] = (1000, 500),
    dropout: float | Sequence[float] = 0.01,
    embedding_dropout: float = 0.04,
    y_range: tuple[float, float] | None = None,
    sizes: str = "lesson",
    *,
    embedding_scale: float = _EMBEDDED,
    seed: int | None = None,
) -> keras.Model:
    """The lesson's network: an embedding of each category, numbers, dense layers.

    It takes what `data` gives; `with_raw_columns` makes it take the columns themselves.

    Args:
        data: says what goes in and comes out.
        layers: units of the dense layers, with ReLU.
        dropout: after each of them; a number for all. The lesson has (0.001, 0.01).
        embedding_dropout: of all embeddings together.
        y_range: of regression: lowest and highest answer, in the target's own unit, to
            which a sigmoid is scaled; None leaves it open.
        sizes: "lesson" or "fastai", the rule of the embeddings' widths: `min(50, (n +
            1) // 2)`, or `min(600, round(1.6 * n**0.56))`, of n categories with those
            of the unknown and of holes.
        embedding_scale: embeddings start uniformly between minus this and this.
        seed: of weights and dropout.

    Raises:
        ValueError: an argument is none of these.

    Reference:
        fast.ai, lesson 3; Guo & Berkhahn, 2016, https://arxiv.org/abs/1604.06737
    """
    rates = _rates(layers, dropout)
    seeds = DrawnSeeds(seed)
    inputs = _inputs(data)
    x = _embedded(
        data,
        inputs,
        sizes=sizes,
        rate=embedding_dropout,
        scale=embedding_scale,
        seeds=seeds,
    )
    x = _dense_layers(x, layers, rates, initializers.HeNormal, seeds)
    return keras.Model(
        inputs, _answer(data, x, y_range, seeds), name="entity_embeddings"
    )


def linear(data: TableData, *, seed: int | None = None) -> keras.Model:
    """A weight for each category and each number, and nothing else.

    Args:
        data: says what goes in and comes out.
        seed: of the weights.
    """
    seeds = DrawnSeeds(seed)
    inputs = _inputs(data)
    return keras.Model(
        inputs, _answer(data, _one_hot(data, inputs), None, seeds), name="linear"
    )


def mlp(
    data: TableData,
    layers: Sequence[int] = (100,),
    dropout: float | Sequence[float] = 0.0,
    *,
    seed: int | None = None,
) -> keras.Model:
    """Dense layers with ReLU over numbers and one-hot categories: the course's network.

    Of 13 numbers it has 1,501 parameters.

    Args:
        data: says what goes in and comes out.
        layers: units of the dense layers.
        dropout: after each of them; a number for all.
        seed: of weights and dropout.

    Raises:
        ValueError: an argument is none of these.
    """
    rates = _rates(layers, dropout)
    seeds = DrawnSeeds(seed)
    inputs = _inputs(data)
    x = _one_hot(data, inputs)
    x = _dense_layers(x, layers, rates, initializers.GlorotUniform, seeds)
    return keras.Model(inputs, _answer(data, x, None, seeds), name="mlp")


def tabular_resnet(
    data: TableData,
    blocks: int = 2,
    width: int = 192,
    hidden: int = 384,
    dropout: float = 0.2,
    frequencies: int = 24,
    *,
    frequency_scale: float = 0.1,
    seed: int | None = None,
) -> keras.Model:
    """A residual network on periodic embeddings of the numbers.

    Each number x becomes sin and cos of 2 pi c x for learned c, and a layer of its own
    with ReLU makes 12 features of them. A block is BatchNorm, Dense, ReLU, dropout,
    Dense, and what went in is added.

    Args:
        data: says what goes in and comes out.
        blocks: number of blocks.
        width: features between blocks.
        hidden: units inside a block.
        dropout: inside a block.
        frequencies: c of each number.
        frequency_scale: standard deviation of c at the start.
        seed: of weights and dropout.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Gorishniy et al., 2021, https://arxiv.org/abs/2106.11959, section 3.2 (ResNet);
        2022, https://arxiv.org/abs/2203.05556, section 3.3 (PLR)
    """
    for name, value in (("blocks", blocks), ("width", width), ("hidden", hidden)):
        check_positive_int(name, value)
    check_positive_int("frequencies", frequencies)
    _rates((1,), dropout)
    seeds = DrawnSeeds(seed)
    inputs = _inputs(data)
    parts = []
    if CATEGORIES in inputs:
        parts.append(_embeddings(data, inputs, "fastai", _EMBEDDED, seeds))
    if NUMBERS in inputs:
        count = inputs[NUMBERS].shape[1]
        angles = keras.layers.EinsumDense(
            "bn,nk->bnk",
            (count, frequencies),
            kernel_initializer=initializers.RandomNormal(
                stddev=2 * math.pi * frequency_scale, seed=seeds()
            ),
            name="frequencies",
        )(inputs[NUMBERS])
        waves = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
        own = keras.layers.EinsumDense(
            "bnk,nkd->bnd",
            (count, 12),
            activation="relu",
            bias_axes="nd",
            kernel_initializer=initializers.RandomNormal(
                stddev=frequencies**-0.5, seed=seeds()
            ),
            name="of_each_number",
        )(waves)
        parts.append(keras.layers.Flatten(name="all_numbers")(own))
    x = _joined(parts, "features")
    dense = keras.layers.Dense
    x = dense(width, kernel_initializer=initializers.HeNormal(seeds()), name="stem")(x)
    for block in range(1, blocks + 1):
        y = keras.layers.BatchNormalization(
            momentum=_MOMENTUM, name=f"block{block}_norm"
        )(x)
        for place, units in enumerate((hidden, width), 1):
            init = initializers.HeNormal(seeds())
            name = f"block{block}_dense{place}"
            y = dense(units, kernel_initializer=init, name=name)(y)
            if place == 1:
                y = keras.layers.ReLU(name=f"block{block}_relu")(y)
                y = keras.layers.Dropout(
                    dropout, seed=seeds(), name=f"block{block}_dropout"
                )(y)
        x = keras.layers.Add(name=f"block{block}_add")([x, y])
    x = keras.layers.BatchNormalization(momentum=_MOMENTUM, name="last_norm")(x)
    x = keras.layers.ReLU(name="last_relu")(x)
    return keras.Model(inputs, _answer(data, x, None, seeds), name="tabular_resnet")


def _dense_layers(
    x: Any,
    layers: Sequence[int],
    rates: list[float],
    initializer: type[initializers.Initializer],
    seeds: DrawnSeeds,
) -> Any:
    """Dense layers with ReLU, each with its dropout behind it."""
    for place, (units, rate) in enumerate(zip(layers, rates, strict=True), 1):
        init = initializer(seeds())
        x = keras.layers.Dense(
            units, "relu", kernel_initializer=init, name=f"dense{place}"
        )(x)
        if rate:
            x = dropout_layer(rate, seeds(), f"dropout{place}")(x)
    return x


def _joined(parts: list[Any], name: str) -> Any:
    """One part as it is, several side by side."""
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name=name)(parts)


def _inputs(data: TableData) -> dict[str, keras.KerasTensor]:
    columns, inputs = data.columns, {}
    if columns.categories:
        inputs[CATEGORIES] = keras.Input(
            (len(columns.categories),), dtype="int32", name=CATEGORIES
        )
    if columns.numbers:
        inputs[NUMBERS] = keras.Input((columns.num_numbers,), name=NUMBERS)
    return inputs


def _embedded(
    data: TableData,
    inputs: dict[str, Any],
    *,
    sizes: str,
    rate: float,
    scale: float,
    seeds: DrawnSeeds,
) -> Any:
    """Embeddings with their dropout, then the numbers."""
    _rates((1,), rate)
    parts = []
    if CATEGORIES in inputs:
        x = _embeddings(data, inputs, sizes, scale, seeds)
        if rate:
            x = keras.layers.Dropout(rate, seed=seeds(), name="embedding_dropout")(x)
        parts.append(x)
    if NUMBERS in inputs:
        parts.append(inputs[NUMBERS])
    return _joined(parts, "features")


def _embeddings(
    data: TableData, inputs: dict[str, Any], sizes: str, scale: float, seeds: DrawnSeeds
) -> Any:
    check_one_of("sizes", sizes, SIZES)
    found = []
    for place, column in enumerate(data.columns.categories):
        init = initializers.RandomUniform(-scale, scale, seed=seeds())
        embedding = keras.layers.Embedding(
            column.num_codes,
            SIZES[sizes](column.num_codes),
            embeddings_initializer=init,
            name=embedding_name(place),
        )
        found.append(embedding(inputs[CATEGORIES][:, place]))
    return _joined(found, "embeddings")


def embedding_name(place: int) -> str:
    """Name of the layer that embeds a column of categories; names may be any text."""
    return f"embedding{place + 1}"


def _one_hot(data: TableData, inputs: dict[str, Any]) -> Any:
    parts = []
    for place, column in enumerate(data.columns.categories):
        code = inputs[CATEGORIES][:, place]
        parts.append(ops.one_hot(code, column.num_codes, dtype="float32"))
    if NUMBERS in inputs:
        parts.append(inputs[NUMBERS])
    return _joined(parts, "features")


def _answer(
    data: TableData, x: Any, y_range: tuple[float, float] | None, seeds: DrawnSeeds
) -> Any:
    target = data.target
    init = initializers.GlorotUniform(seeds())
    # In float32 whatever the rest computes in: of half the digits answers are coarse.
    options = {"kernel_initializer": init, "name": "answer", "dtype": "float32"}
    if not target.is_regression:
        if y_range is not None:
            raise ValueError(
                f"`y_range` must be None for classes. Received: y_range={y_range!r}"
            )
        return keras.layers.Dense(target.num_outputs, "softmax", **options)(x)
    x = keras.layers.Dense(1, **options)(x)
    if y_range is None:
        return x
    low, high = target.limits(y_range)
    whole = {"dtype": "float32"}
    x = keras.layers.Activation("sigmoid", name="share_of_range", **whole)(x)
    return keras.layers.Rescaling(high - low, low, name="in_range", **whole)(x)


def _rates(layers: Sequence[int], dropout: float | Sequence[float]) -> list[float]:
    """A dropout rate for each of `layers`, all checked."""
    if not len(layers):
        raise ValueError(
            f"`layers` must have one at least. Received: layers={layers!r}"
        )
    for units in layers:
        check_positive_int("layers", units)
    is_one = isinstance(dropout, (int, float))
    rates: list[Any] = [dropout] * len(layers) if is_one else list(dropout)
    if len(rates) != len(layers) or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(
            "`dropout` must be a rate in [0, 1), or one for each layer. Received: "
            f"dropout={dropout!r} for {len(layers)} layers"
        )
    return rates
