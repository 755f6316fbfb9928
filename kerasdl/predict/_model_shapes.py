"""What a model returns where classes come out."""

from collections.abc import Sequence

import keras

from kerasdl._checks import check_class_names, first_few


def check_outputs(model: keras.Model, class_names: Sequence[str]) -> None:
    """Raise ValueError unless `model` has an output a class, or one for two."""
    check_class_names("class_names", class_names)
    outputs = num_outputs(model)
    if outputs != len(class_names) and (outputs, len(class_names)) != (1, 2):
        raise ValueError(
            "`class_names` must be as many as the model's outputs, or two for one "
            f"output. Received: class_names={first_few(class_names)} ({outputs} "
            "outputs)"
        )
    if len(set(class_names)) < max(2, len(class_names)):
        raise ValueError(
            "`class_names` must be two or more, each another. Received: "
            f"class_names={first_few(class_names)}"
        )


def num_outputs(model: keras.Model) -> int:
    """Number of values that `model` returns for a picture.

    Raises:
        ValueError: it does not return one tensor `(batch, classes)`, or is subclassed
            or not built, so that this is not known.
    """
    # Neither attribute is there before Keras knows what goes in.
    shape = getattr(model, "output_shape", None)
    # Keras gives the shape of the one output of a dict as if it were alone.
    is_dict = isinstance(getattr(model, "_outputs_struct", None), dict)
    if is_dict or not isinstance(shape, tuple) or len(shape) != 2 or not shape[-1]:
        received = f"outputs {shape}" if shape else "outputs that are not known"
        raise ValueError(
            "`model` must be functional, or a Sequential with an Input, and have one "
            f"output (batch, classes). Received: a {type(model).__name__} with "
            f"{received}. `keras.Model(inputs, output)` makes one of one output of "
            "several, or around a subclassed one."
        )
    return shape[-1]
