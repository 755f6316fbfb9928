"""What a classifier of pictures takes and returns as a file."""

from collections.abc import Sequence

import keras

from kerasdl.artefacts import Input, Signature

from .outputs import check_outputs


def pixel_signature(
    model: keras.Model, class_names: Sequence[str] | None = None
) -> Signature:
    """Pixels, uint8 `(batch, height, width, 3)`, in; `probabilities` out.

    Raises:
        ValueError: `model` is neither functional nor a Sequential that is built, or
            does not take one batch of pictures of a fixed size and return one tensor;
            or `class_names` are not those of its outputs.
    """
    if not getattr(model, "inputs", None):  # subclassed, or not built
        raise ValueError(
            "`model` must be functional, or a Sequential with an Input. Received: a "
            f"{type(model).__name__} whose inputs are not known"
        )
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            "`model` must have one input (batch, height, width, 3) of a fixed size. "
            f"Received: input shape {shape}"
        )
    if shape[-1] != 3:
        raise ValueError(
            "`model` must take RGB pictures. Received: input shape "
            f"{shape}. `models.with_rgb_input` makes one that sees gray take them."
        )
    outputs = model.compute_output_spec(keras.KerasTensor((1, *shape[1:])))
    if not isinstance(outputs, keras.KerasTensor):
        raise ValueError(f"`model` must have one output. Received: {outputs}")
    if class_names is not None:
        check_outputs(model, class_names)
    return Signature({"pixels": Input(shape[1:], "uint8")}, ("probabilities",))
