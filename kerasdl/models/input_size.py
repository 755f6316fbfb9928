"""The same network on images of another size: progressive resizing."""

import keras

from kerasdl._checks import size_pair

from ._clone import clone


def with_input_size(
    model: keras.Model, image_size: int | tuple[int, int]
) -> keras.Model:
    """Rebuild a model with its weights for images of another size.

    Args:
        model: takes `(batch, height, width, channels)`. What follows its feature maps
            must not depend on their size: a pooled head does not, Flatten does. Models
            inside it must take any size.
        image_size: one side or (height, width), in pixels.

    Returns:
        A model of its own, not compiled, with the same names and `trainable` flags.

    Raises:
        ValueError: a layer needs the size that `model` was built for, or cannot be
            built again as it is.

    Reference:
        fast.ai, lesson 2: train on small images, then go on with larger ones.

    Example:
        ```
        larger = kd.models.with_input_size(model, 48)
        ```
    """
    size = size_pair("image_size", image_size)
    pixels = keras.Input((*size, model.input_shape[-1]), name=model.inputs[0].name)
    try:
        return clone(model, pixels)
    except ValueError as error:
        raise ValueError(
            "`image_size` must suit every layer of the model. Received: "
            f"image_size={image_size!r}. A pooled head on a "
            f"functional build takes any size. ({error})"
        ) from error
