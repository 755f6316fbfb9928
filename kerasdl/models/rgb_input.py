"""A network of gray images that takes RGB: what data and exported files hold."""

import keras
from keras import ops


def with_rgb_input(model: keras.Model) -> keras.Model:
    """Let a network of gray images take RGB, of which it sees the luma.

    Its parameters stay as they are; on gray pixels, three equal channels, it computes
    what it did (to 1e-4, as the weights of the luma do not quite sum to 1).

    Args:
        model: functional, takes `(batch, height, width, 1)`.

    Returns:
        A model of the same layers, not compiled, that takes `(batch, height, width,
        3)`.

    Raises:
        ValueError: `model` takes no gray images, or is not functional.

    Example:
        ```
        of_colours = kd.models.with_rgb_input(kd.models.lenet5(seed=1))
        ```
    """
    shape = model.inputs[0].shape if len(model.inputs) == 1 else model.input_shape
    if isinstance(model, keras.Sequential) or len(shape) != 4 or shape[-1] != 1:
        raise ValueError(
            "`model` must be a functional model of gray images (batch, height, width, "
            f"1). Received: a {type(model).__name__} of input_shape={shape}"
        )
    pixels = keras.Input((*shape[1:3], 3), name="pixels")
    gray = ops.image.rgb_to_grayscale(pixels)
    # Not a call of the model: its layers are to be layers of the new one.
    outputs = model.call(keras.tree.map_structure(lambda _: gray, model.input))
    return keras.Model(pixels, outputs, name=model.name)
