"""What a model takes, where pictures go in."""

import keras

Shape = tuple[int | None, int | None, int | None, int | None]


def picture_shape(model: keras.Model) -> Shape:
    """Return the input shape (batch, height, width, channels) of `model`.

    Raises:
        ValueError: it is subclassed or not built, or takes something else.
    """
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4:
        received = f"inputs {shape}" if shape else "inputs that are not known"
        raise ValueError(
            "`model` must be functional, or a Sequential with an Input, and take one "
            "batch of pictures (batch, height, width, channels). Received: a "
            f"{type(model).__name__} with {received}"
        )
    return shape
