"""The same network on pictures of more or fewer channels than three."""

import keras
import numpy as np
from keras import layers, ops

from kerasdl._checks import check_one_of, check_positive_int

from ._clone import clone

_KINDS = ("mean", "copy", "zero")
_SIDE = 33  # of a picture to ask, where the model takes any size


def with_channels(model: keras.Model, channels: int, kind: str = "mean") -> keras.Model:
    """Let a network of RGB take pictures of `channels`, the first of which are RGB.

    More than three widen the kernels of the first convolution; those of R, G and B stay
    as they are. A further channel is scaled, and its kernels begin, as `kind` says:
    "mean" of the three; "copy" of R, G and B in turn; or "zero", so that the network
    answers as it did until it has trained. Of fewer than three, those that are missing
    are computed from the ones there: their "mean", a "copy" of them in turn, or
    "zero", the pixel that is scaled to 0.

    Args:
        model: functional or Sequential, flat, with one output; takes `(batch, height,
            width, 3)` and begins with a convolution, after what scales pixels and pads.
        channels: of the pictures, at least 1.
        kind: "mean", "copy" or "zero".

    Returns:
        A model of its own, not compiled, that takes `(batch, height, width, channels)`,
        with the same names and `trainable` flags.

    Raises:
        ValueError: `model` does not begin so, or an argument is not one of these.
    """
    check_positive_int("channels", channels)
    check_one_of("kind", kind, _KINDS)
    first, front, rest = _parts(model)
    size = model.input_shape[1:3]
    pixels = keras.Input((*size, channels), name=model.inputs[0].name)
    places, zeros = _scaled_places(front)
    given = ops.split(pixels, channels, axis=-1) if channels > 1 else [pixels]
    rgb, more = given[:3], given[3:]
    for missing in range(channels, 3):
        if kind == "copy":
            rgb.append(given[missing % channels])
        elif kind == "mean":
            rgb.append(ops.mean(pixels, axis=-1, keepdims=True))
        else:
            rgb.append(0 * given[0] + float(zeros[missing]))
    scaled = [front.call(ops.concatenate(rgb, axis=-1))]
    if not more:
        return clone(keras.Model(pixels, rest.call(first(scaled[0])), name=model.name))

    kernel = first.kernel.numpy()
    mean = kernel.mean(axis=2, keepdims=True)
    kernels = [kernel]
    for number, channel in enumerate(more):
        three = front.call(ops.repeat(channel, 3, axis=-1))
        if kind == "copy":
            place = places[number % 3]
            scaled.append(ops.split(three, 3, axis=-1)[place])
            kernels.append(kernel[:, :, place : place + 1])
        else:
            scaled.append(ops.mean(three, axis=-1, keepdims=True))
            kernels.append(mean if kind == "mean" else 0 * mean)
    wide = layers.Conv2D.from_config(first.get_config())
    outputs = rest.call(wide(ops.concatenate(scaled, axis=-1)))
    wide.kernel.assign(np.concatenate(kernels, axis=2))
    if first.use_bias:
        wide.bias.assign(first.bias)
    wide.trainable = first.trainable
    return clone(keras.Model(pixels, outputs, name=model.name))


def _parts(model: keras.Model) -> tuple[layers.Conv2D, keras.Model, keras.Model]:
    """The first convolution, and models of what comes before and after it."""
    shape = model.input_shape
    first = next((one for one in model.layers if hasattr(one, "kernel")), None)
    if (
        (len(model.inputs), len(model.outputs)) != (1, 1)
        or len(shape) != 4
        or shape[-1] != 3
        or first is None
        or type(first) is not layers.Conv2D
        or first.kernel.shape[2] != 3
    ):
        raise ValueError(
            "`model` must be flat, take RGB (batch, height, width, 3), begin with a "
            f"Conv2D of it and have one output. Received: {model.name!r} of "
            f"input_shape={shape}, whose first layer with a kernel is "
            f"{first and first.name!r}, with {len(model.outputs)} outputs"
        )
    try:
        front = keras.Model(model.inputs[0], first.input)
        rest = keras.Model(first.output, model.outputs[0])
    except ValueError as error:
        raise ValueError(
            "`model` must give its pixels to one convolution alone. Received: "
            f"{model.name!r}, where not all goes through {first.name!r}"
        ) from error
    return first, front, rest


def _scaled_places(front: keras.Model) -> tuple[list[int], np.ndarray]:
    """Where `front` puts R, G and B, and the pixel of each that becomes 0."""
    size = [side or _SIDE for side in front.input_shape[1:3]]
    asked = np.zeros((4, *size, 3), "float32")
    for channel in range(3):
        asked[channel + 1, ..., channel] = 255
    found = np.asarray(front(asked))
    middle = found[:, found.shape[1] // 2, found.shape[2] // 2]
    places = np.abs(middle[1:] - middle[0]).argmax(axis=1)
    black = middle[0, places]
    white = middle[[1, 2, 3], places]
    return places.tolist(), 255 * black / (black - white)
