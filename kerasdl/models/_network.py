"""One list of stages, strung together functionally or as a Sequential."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import keras
from keras import layers

from kerasdl._checks import check_one_of
from kerasdl._seeds import Seeds

from ._pixels import PIXEL_RULES, pixel_stages
from ._stages import Block, Seed, Stage, run
from ._weights import check_weights_file, load_weights
from .heads import check_classes

BUILDS = ("functional", "sequential")


class Common(NamedTuple):
    """The arguments that all networks have, in the order of their signatures.

    Five have Keras's names. What a network has of its own comes beside them: a builder
    may have more than ten.

    Attributes:
        include_top: end in the network's top.
        weights: None or a path (see `load_weights`).
        input_shape: (height, width, channels).
        pooling: `None`, `"avg"` or `"max"`; used without the top.
        classes: at least 2.
        build: one of `BUILDS`.
        pixels: one of `PIXEL_RULES`; None is the network's own.
        seed: of initial weights and dropout.
    """

    include_top: bool
    weights: str | Path | None
    input_shape: tuple[int | None, int | None, int]
    pooling: str | None
    classes: int
    build: str
    pixels: str | None
    seed: Seed


def build_network(
    name: str,
    body: Callable[[Seeds], Iterable[Stage]],
    top: Callable[[Seeds, int], Iterable[Stage]],
    common: Common,
    *,
    min_side: int,
    own_pixels: str = "unit",
    fixed_top: bool = False,
) -> keras.Model:
    """Check the arguments that all networks have, then build one.

    Args:
        name: of the model.
        body: lists the stages up to the feature map; its argument gives seeds.
        top: lists the stages that follow; its arguments give seeds and `classes`.
        common: what the user asked for.
        min_side: the smallest height and width that leave a feature map.
        own_pixels: the rule that the network's ImageNet weights were trained with.
        fixed_top: the top takes feature maps of one size only.

    Raises:
        ValueError: an argument is not one of these.
    """
    include_top, weights, input_shape, pooling, classes, build, pixels, seed = common
    check_one_of("build", build, BUILDS)
    pixels = own_pixels if pixels is None else pixels
    check_one_of("pixels", pixels, PIXEL_RULES)
    check_one_of("pooling", pooling, (None, "avg", "max"))
    check_classes(classes)
    _check_input_shape(input_shape, min_side, is_fixed=include_top and fixed_top)
    if weights is not None:
        check_weights_file(weights, "None")

    seeds = seed if isinstance(seed, Seeds) else Seeds(seed)
    stages = [*pixel_stages(pixels, input_shape[-1]), *body(seeds)]
    top_stages = list(top(seeds, classes))
    if include_top:
        stages += top_stages
    elif pooling == "avg":
        stages.append(layers.GlobalAveragePooling2D(name="avg_pool"))
    elif pooling == "max":
        stages.append(layers.GlobalMaxPooling2D(name="max_pool"))
    string_together = _functional if build == "functional" else _sequential
    model = string_together(name, tuple(input_shape), stages)
    if weights is not None:
        left_over = () if include_top else [stage.name for stage in top_stages]
        load_weights(model, weights, left_over, whole=include_top)
    return model


def _functional(
    name: str, input_shape: tuple[int | None, ...], stages: list[Stage]
) -> keras.Model:
    inputs = keras.Input(input_shape, name="pixels")
    return keras.Model(inputs, run(stages, inputs), name=name)


def _sequential(
    name: str, input_shape: tuple[int | None, ...], stages: list[Stage]
) -> keras.Sequential:
    shape = (None, *input_shape)
    parts = []
    for stage in stages:
        if isinstance(stage, Block):
            inputs = keras.Input(shape[1:])
            stage = keras.Model(inputs, stage.function(inputs), name=stage.name)
        shape = stage.compute_output_shape(shape)
        parts.append(stage)
    inputs = keras.Input(input_shape, name="pixels")
    return keras.Sequential([inputs, *parts], name=name)


def _check_input_shape(
    input_shape: tuple[int | None, int | None, int], min_side: int, is_fixed: bool
) -> None:
    sizes = "integers" if is_fixed else "integers or None"
    is_shape = (
        isinstance(input_shape, (tuple, list))
        and len(input_shape) == 3
        and input_shape[2] in (1, 3)
        and all(
            (size is None and not is_fixed)
            or (isinstance(size, int) and size >= min_side)
            for size in input_shape[:2]
        )
    )
    if not is_shape:
        raise ValueError(
            "`input_shape` must be (height, width, channels): height and width "
            f"{sizes} of at least {min_side}, channels 3 (RGB) or 1 (gray). Received: "
            f"input_shape={input_shape!r}"
        )
