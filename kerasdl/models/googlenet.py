"""GoogLeNet (Szegedy et al., 2014), https://arxiv.org/abs/1409.4842."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import layers

from kerasdl._seeds import Seeds

from ._blocks import conv_norm_relu, dense, dense_softmax
from ._network import Common, build_network
from ._stages import Block, Seed, Stage, begin_block, run, seeds_from
from ._weights import check_weights_file, load_weights

YEAR = 2014


class _Row(NamedTuple):
    """Filters of one Inception block, which has four paths."""

    one: int  # 1x1
    three: tuple[int, int]  # 1x1, then 3x3
    five: tuple[int, int]  # 1x1, then 5x5
    pool: int  # 1x1, after 3x3 maxima


# Table 1 of the paper. Before these: 64 of 7x7, strides 2; maxima; 64 of 1x1 and 192 of
# 3x3; maxima. All maxima are of 3x3, two apart.
_ROWS = {
    "3a": _Row(64, (96, 128), (16, 32), 32),
    "3b": _Row(128, (128, 192), (32, 96), 64),
    "4a": _Row(192, (96, 208), (16, 48), 64),
    "4b": _Row(160, (112, 224), (24, 64), 64),
    "4c": _Row(128, (128, 256), (24, 64), 64),
    "4d": _Row(112, (144, 288), (32, 64), 64),
    "4e": _Row(256, (160, 320), (32, 128), 128),
    "5a": _Row(256, (160, 320), (32, 128), 128),
    "5b": _Row(384, (192, 384), (48, 128), 128),
}
_POOLS = {"3b": "pool3", "4e": "pool4"}  # maxima after these
# Section 5: a classifier each on the maps of these blocks, for training alone.
_AUX = ("4a", "4d")
_AUX_FILTERS, _AUX_UNITS, _AUX_DROPOUT = 128, 1024, 0.7
_AUX_MIN_SIDE = 65  # leaves 5x5 pixels, which its averages take


def inception(
    one: int,
    three: tuple[int, int],
    five: tuple[int, int],
    pool: int,
    *,
    batch_norm: bool = False,
    name: str | None = None,
    seed: Seed = None,
) -> Block:
    """Four paths side by side, their maps one after the other (figure 2b).

    Output: as many maps as the four paths end in, of the input's height and width.

    Args:
        one: filters of the path of 1x1.
        three: filters of 1x1 and of the 3x3 that follow.
        five: filters of 1x1 and of the 5x5 that follow.
        pool: filters of 1x1, after 3x3 maxima.
        batch_norm: normalise before each ReLU.
        name: of the block, and what those of its layers begin with.
        seed: of initial weights.

    Raises:
        ValueError: an argument is not one of these.
    """
    _check_pair("three", three)
    _check_pair("five", five)
    name, seeds = begin_block("inception", name, seed, one=one, pool=pool)
    unit = partial(conv_norm_relu, seeds=seeds, batch_norm=batch_norm)

    def function(x: Any) -> Any:
        paths = [
            [*unit(one, 1, f"{name}_1x1")],
            [
                *unit(three[0], 1, f"{name}_3x3_reduce"),
                *unit(three[1], 3, f"{name}_3x3"),
            ],
            [
                *unit(five[0], 1, f"{name}_5x5_reduce"),
                *unit(five[1], 5, f"{name}_5x5"),
            ],
            [
                layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_pool"),
                *unit(pool, 1, f"{name}_pool_proj"),
            ],
        ]
        sides = [run(stages, x) for stages in paths]
        return layers.Concatenate(name=f"{name}_concat")(sides)

    return Block(name, function)


def _check_pair(name: str, filters: tuple[int, int]) -> None:
    if (
        not isinstance(filters, (tuple, list))
        or len(filters) != 2
        or not all(isinstance(count, int) and count >= 1 for count in filters)
    ):
        raise ValueError(
            f"`{name}` must be a pair of filters, integers of at least 1. Received: "
            f"{name}={filters!r}"
        )


def _aux_head(name: str, classes: int, seeds: Seeds, batch_norm: bool) -> list[Stage]:
    """A classifier on the map of block `name`, as section 5 of the paper lists it."""
    name = f"aux_{name}"
    return [
        layers.AveragePooling2D(5, strides=3, name=f"{name}_pool"),
        *conv_norm_relu(_AUX_FILTERS, 1, f"{name}_conv", seeds, batch_norm=batch_norm),
        layers.Flatten(name=f"{name}_flatten"),
        dense(_AUX_UNITS, f"{name}_dense", seeds, activation="relu"),
        layers.Dropout(_AUX_DROPOUT, seed=seeds(), name=f"{name}_dropout"),
        dense_softmax(classes, seeds, f"{name}_predictions"),
    ]


def _halve(name: str) -> layers.MaxPooling2D:
    return layers.MaxPooling2D(3, strides=2, padding="same", name=name)


def _googlenet(
    common: Common, batch_norm: bool, dropout: float, aux_heads: bool
) -> keras.Model:
    build, include_top, weights = common.build, common.include_top, common.weights
    if aux_heads and (build, include_top) != ("functional", True):
        raise ValueError(
            "`aux_heads=True` needs build='functional' and include_top=True. Received: "
            f"build={build!r}, include_top={include_top!r}"
        )
    if weights is not None:
        check_weights_file(weights, "None")
    seeds = seeds_from(common.seed)  # the auxiliary classifiers go on with them
    unit = partial(conv_norm_relu, batch_norm=batch_norm)

    def body(seeds: Seeds) -> Iterator[Stage]:
        yield from unit(64, 7, "conv1", seeds, strides=2)
        yield _halve("pool1")
        yield from unit(64, 1, "conv2_reduce", seeds)
        yield from unit(192, 3, "conv2", seeds)
        yield _halve("pool2")
        for number, row in _ROWS.items():
            name = f"inception_{number}"
            yield inception(*row, batch_norm=batch_norm, name=name, seed=seeds)
            if number in _POOLS:
                yield _halve(_POOLS[number])

    def top(seeds: Seeds, classes: int) -> Iterator[Stage]:
        yield layers.GlobalAveragePooling2D(name="avg_pool")
        yield layers.Dropout(dropout, seed=seeds(), name="dropout")
        yield dense_softmax(classes, seeds)

    model = build_network(
        "googlenet",
        body,
        top,
        common._replace(weights=None, seed=seeds),
        min_side=_AUX_MIN_SIDE if aux_heads else 1,
        fixed_top=aux_heads,
    )
    heads = {name: _aux_head(name, common.classes, seeds, batch_norm) for name in _AUX}
    if aux_heads:
        outputs = [
            run(head, model.get_layer(f"inception_{name}_concat").output)
            for name, head in heads.items()
        ]
        model = keras.Model(model.input, [model.output, *outputs], name=model.name)
    if weights is not None:
        spare = [stage.name for head in heads.values() for stage in head]
        spare += () if include_top else ("predictions",)
        load_weights(model, weights, spare, whole=include_top)
    return model


def googlenet(
    include_top: bool = True,
    weights: str | Path | None = None,
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    pooling: str | None = None,
    classes: int = 1000,
    *,
    build: str = "functional",
    pixels: str | None = None,
    batch_norm: bool = False,
    dropout: float = 0.4,
    aux_heads: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """GoogLeNet: three convolutions and nine Inception blocks.

    As in the paper's table and in Dive into Deep Learning, without the local response
    normalisation of its figure 3.

    Input: pixels in [0, 255], `(batch, height, width, channels)`; scaling is in the
    model.
    Output: `(batch, classes)` probabilities; without the top `(batch, height / 32,
    width / 32, 1024)`, rounded up, or `(batch, 1024)` when pooled. With `aux_heads` a
    list of three such probabilities: the network's own and those after the blocks 4a
    and 4d.
    Parameters: 6,998,552 at the defaults; 5,973,552 without the top; 13,378,280 with
    `aux_heads`.

    Args:
        include_top: end in averages, Dropout and a dense layer.
        weights: None for random ones, or a path (see `load_weights`); a file that
            holds the auxiliary classifiers fits without them too.
        input_shape: any height and width, or None; with `aux_heads` at least 65.
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: `"functional"` or `"sequential"`, where a block is a model.
        pixels: one of `PIXEL_RULES`; None is `"unit"`.
        batch_norm: normalise before each activation.
        dropout: rate before the dense layer; the lesson has none.
        aux_heads: add the two classifiers that the paper trains beside its own, each
            with 0.3 of the weight; functional and with the top only.
        seed: of initial weights and dropout.

    Raises:
        ValueError: an argument is not one of these, or the weights do not fit.

    Reference:
        https://arxiv.org/abs/1409.4842, table 1;
        https://d2l.ai/chapter_convolutional-modern/googlenet.html
    """
    common = Common(
        include_top, weights, input_shape, pooling, classes, build, pixels, seed
    )
    return _googlenet(common, batch_norm, dropout, aux_heads)
