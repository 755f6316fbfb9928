"""Pretrained trunks: what each network needs, and one builder for all of them.

A trunk takes RGB pixels in [0, 255] and returns a feature map. Scaling and network are
one flat graph of named layers, so that a cut at any of them is
`keras.Model(trunk.input, trunk.get_layer(name).output)`.
"""

import os
import re
import socket
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import applications, layers

from kerasdl._checks import check_one_of, size_pair
from kerasdl._keras_internals import without_values
from kerasdl._seeds import Seeds

from ._pixels import scale_pixels
from ._weights import check_weights_file, load_weights
from .copying import copy_weights
from .efficientnet_lite import efficientnet_lite0

_DOWNLOAD_TIMEOUT = 30.0  # seconds without a byte
# Names that Keras gives to layers that have none.
_UNNAMED = re.compile(
    "(activation|add|average_pooling2d|batch_normalization|concatenate|conv2d"
    r"|max_pooling2d)(?:_(\d+))?"
)
_B0_SCALE = [deviation**-0.5 for deviation in (0.229, 0.224, 0.225)]


@dataclass(frozen=True)
class Backbone:
    """What a pretrained network needs.

    Attributes:
        name: as `backbone()` takes it.
        builder: of the whole network, with Keras's arguments.
        pixels: pixel rule of its weights; `"none"` if the network scales by itself.
        middle: first layer of the middle group.
        late: first layer of the late group. One tensor alone feeds this group, so that
            training can go on from activations cached there.
        weights_file: what Keras calls its ImageNet weights; "" if they are embedded.
        image_size: side in pixels that its weights were trained with.
        practice_size: side in pixels that `recipes/cats_dogs_finetune.py` trains with.
            Weights that were trained on random crops show objects enlarged; larger
            images make up for it (Touvron et al., 2019, arXiv:1906.06423). It differs
            from `image_size` where a gain was measured.
        min_image_size: smallest side in pixels that leaves a feature map.
    """

    name: str
    builder: Callable[..., keras.Model]
    pixels: str
    middle: str
    late: str
    weights_file: str
    image_size: int = 224
    practice_size: int = 224
    min_image_size: int = 32


_ROWS = (
    Backbone(
        "vgg16",
        applications.VGG16,
        pixels="caffe",
        middle="block3_conv1",
        late="block5_conv1",
        weights_file="vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ),
    Backbone(
        "vgg19",
        applications.VGG19,
        pixels="caffe",
        middle="block3_conv1",
        late="block5_conv1",
        weights_file="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ),
    Backbone(
        "resnet50",
        applications.ResNet50,
        pixels="caffe",
        middle="conv3_block1_1_conv",
        late="conv5_block1_1_conv",
        weights_file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ),
    Backbone(
        "densenet121",
        applications.DenseNet121,
        pixels="torch",
        middle="conv3_block1_0_bn",
        late="conv5_block1_0_bn",
        weights_file="densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ),
    Backbone(
        "xception",
        applications.Xception,
        pixels="tf",
        middle="block4_sepconv1_act",
        late="block13_sepconv1_act",
        weights_file="xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
        image_size=299,
        practice_size=299,
        min_image_size=71,
    ),
    Backbone(
        "inception_v3",
        applications.InceptionV3,
        pixels="tf",
        middle="conv2d_27",  # after mixed2
        late="conv2d_72",  # after mixed7
        weights_file="inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        image_size=299,
        practice_size=299,
        min_image_size=75,
    ),
    Backbone(
        "mobilenet",
        applications.MobileNet,
        pixels="tf",
        middle="conv_pad_4",
        late="conv_pad_12",
        weights_file="mobilenet_1_0_224_tf_no_top.h5",
    ),
    Backbone(
        "mobilenet_v2",
        applications.MobileNetV2,
        pixels="tf",
        middle="block_6_expand",
        late="block_13_expand",
        weights_file=(
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
        ),
    ),
    Backbone(
        "mobilenet_v3_small",
        applications.MobileNetV3Small,
        pixels="none",
        middle="expanded_conv_3_expand",
        late="expanded_conv_8_expand",
        weights_file="weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    ),
    Backbone(
        "mobilenet_v3_large",
        applications.MobileNetV3Large,
        pixels="none",
        middle="expanded_conv_6_expand",
        late="expanded_conv_12_expand",
        weights_file="weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
    ),
    Backbone(
        "efficientnet_b0",
        applications.EfficientNetB0,
        pixels="none",
        middle="block4a_expand_conv",
        late="block6a_expand_conv",
        weights_file="efficientnetb0_notop.h5",
    ),
    Backbone(
        "efficientnet_lite0",
        efficientnet_lite0,
        pixels="lite",
        middle="block4a_expand_conv",
        late="block6a_expand_conv",
        weights_file="",
        practice_size=288,
    ),
)
BACKBONES = tuple(row.name for row in _ROWS)


def backbone(name: str) -> Backbone:
    """Return what the pretrained network `name`, one of `BACKBONES`, needs."""
    check_one_of("backbone", name, BACKBONES)
    return _ROWS[BACKBONES.index(name)]


def build_trunk(
    name: str,
    weights: str | Path | None = "imagenet",
    image_size: int | tuple[int, int] | None = None,
    *,
    seed: int | None = None,
) -> keras.Model:
    """Build the network `name` without its top.

    Input: RGB pixels in [0, 255], float32 `(batch, height, width, 3)`; scaling is in
    the model. Output: the feature map.

    Args:
        name: one of `BACKBONES`; also the model's name.
        weights: `"imagenet"` (downloaded by Keras into its cache; embedded for
            efficientnet_lite0), a path (see `load_weights`), or None for random ones.
        image_size: side or `(height, width)` in pixels; None is the size the weights
            were trained with.
        seed: of initial weights and dropout; unused, and then not drawn, where weights
            are loaded into a network without dropout.

    Raises:
        ValueError: an argument is not one of these, `image_size` is too small for the
            network, the weights do not fit it or cannot be fetched.

    Example:
        ```
        trunk = kd.models.build_trunk("efficientnet_lite0", image_size=64)
        trunk.output_shape
        ```
    """
    row = backbone(name)
    size = size_pair("image_size", row.image_size if image_size is None else image_size)
    if min(size) < row.min_image_size:
        raise ValueError(
            f"`image_size` must be at least {row.min_image_size} for {name!r}. "
            f"Received: image_size={image_size!r}"
        )
    shape = (*size, 3)
    if row.builder is efficientnet_lite0:
        return efficientnet_lite0(False, weights, shape, seed=seed)
    # What may fail comes first: nothing is built for weights that cannot be had.
    if weights == "imagenet":
        pretrained = _download(row)
    elif weights is not None:
        check_weights_file(weights)
    trunk = _build(row, shape, seed, weights is None)
    if weights == "imagenet":
        copy_weights(pretrained, trunk)
    elif weights is not None:
        load_weights(trunk, weights)
    return trunk


def _build(
    row: Backbone, shape: tuple[int, int, int], seed: int | None, keeps_weights: bool
) -> keras.Model:
    """Build the trunk of `row` with random weights, to be kept or not, from `seed`."""
    pixels = keras.Input(shape, name="pixels")
    with without_values():  # it is cloned
        network = row.builder(
            include_top=False,
            weights=None,
            input_tensor=scale_pixels(pixels, row.pixels),
            name=row.name,
        )
    network = keras.Model(pixels, network.output, name=row.name)
    has_dropout = any(isinstance(layer, layers.Dropout) for layer in network.layers)
    if seed is None and not (keeps_weights or has_dropout):
        seed = 0  # nothing that is drawn is kept
    seeds = Seeds(seed)
    names = _counted_anew(network)

    def seeded(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        config["name"] = names.get(layer.name, layer.name)
        for key in ("kernel_initializer", "depthwise_initializer"):
            if key in config:
                config[key]["config"]["seed"] = seeds()
        if "seed" in config:
            config["seed"] = seeds()
        return type(layer).from_config(config)

    def call(layer: layers.Layer, *args: Any, **kwargs: Any) -> Any:
        if row.name == "efficientnet_b0" and layer.name == "stem_conv_pad":
            # Keras adds this only for `weights="imagenet"`: the weights were trained on
            # pixels divided by the variance, and `Normalization` divides by its root.
            args = (layers.Rescaling(_B0_SCALE, name="scale_normalized")(*args),)
        return layer(*args, **kwargs)

    # The builders of keras.applications take no seed.
    return keras.models.clone_model(network, clone_function=seeded, call_function=call)


def _counted_anew(network: keras.Model) -> dict[str, str]:
    """Names for the layers of `network` without one: those of a process's first.

    Keras counts on from network to network.
    """
    numbers = defaultdict(list)
    for layer in network.operations:
        if unnamed := _UNNAMED.fullmatch(layer.name):
            numbers[unnamed[1]].append((int(unnamed[2] or 0), layer.name))
    return {
        name: f"{kind}_{place}" if place else kind
        for kind, found in numbers.items()
        for place, (_, name) in enumerate(sorted(found))
    }


def _download(row: Backbone) -> keras.Model:
    """Build the trunk of `row` with ImageNet weights from Keras's cache or its site.

    At the size of the weights: for others, Keras picks other files or warns.
    """
    shape = (row.image_size, row.image_size, 3)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        return row.builder(include_top=False, weights="imagenet", input_shape=shape)
    except Exception as error:  # Keras raises a bare Exception
        home = os.environ.get("KERAS_HOME", "~/.keras")
        path = Path(home, "models", row.weights_file).expanduser()
        raise ValueError(
            f"`weights` 'imagenet' must find {row.weights_file} on the network or in "
            f"Keras's cache. Received: weights='imagenet' ({error}). Put the file at "
            f"{path}, or pass weights=PATH (--weights PATH), or use the "
            "backbone 'efficientnet_lite0', whose weights were installed with kerasdl."
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
