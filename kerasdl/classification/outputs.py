"""What a classifier returns: its outputs, checked, and as probabilities."""

from collections.abc import Sequence

import keras
import numpy as np

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


def class_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Probabilities `(n, classes)` of a model's outputs, one sigmoid unit included."""
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


def are_unsure(probabilities: np.ndarray, is_multi_label: bool = False) -> np.ndarray:
    """Whether each row's answer is less than twice as probable as another, `(n,)`.

    With several labels a picture, whether that holds of a label and its absence.
    """
    if is_multi_label:
        return np.any((probabilities > 1 / 3) & (probabilities < 2 / 3), axis=1)
    first, second = np.sort(probabilities, axis=1)[:, :-3:-1].T
    return first < 2 * second


def rows_without_numbers(outputs: np.ndarray) -> np.ndarray:
    """Which rows of a model's outputs hold something else than numbers, `(n,)` bool."""
    return np.any(~np.isfinite(outputs), axis=1)


def check_numbers(outputs: np.ndarray, files: Sequence[str]) -> None:
    """Raise ValueError if what a model says of a picture of `files` is no number."""
    none = np.flatnonzero(rows_without_numbers(outputs))
    if len(none):
        raise ValueError(
            "`model` must answer with numbers: a training that failed leaves weights "
            "that are none. Received: other answers for "
            f"{first_few([files[int(row)] for row in none])}. Take weights from before."
        )


def resolve_class(
    model: keras.Model, pixels: np.ndarray, class_index: int | None
) -> int:
    """`resolve_classes` of a batch of one."""
    return int(resolve_classes(model, pixels, class_index)[0])


def resolve_classes(
    model: keras.Model, pixels: np.ndarray, class_index: int | Sequence[int] | None
) -> np.ndarray:
    """A class for each picture of a batch, `(n,)`; None is its most probable one.

    Raises:
        ValueError: the model has no such class, not one output `(batch, classes)`, or
            answers that are no numbers; or there are other than one for each.
    """
    classes = max(num_outputs(model), 2)
    if class_index is None:
        outputs = np.asarray(model.predict_on_batch(pixels))
        check_numbers(outputs, names_of(len(pixels)))
        return class_probabilities(outputs).argmax(axis=1)
    given = np.ravel(class_index).tolist()
    if np.ndim(class_index) and len(given) != len(pixels):
        raise ValueError(
            "`class_index` must be one, or one for each picture. Received: "
            f"{len(given)} for {len(pixels)} pictures"
        )
    if not set(given) <= set(range(classes)):
        raise ValueError(
            f"`class_index` must be None or from 0 to {classes - 1}. "
            f"Received: class_index={class_index!r}"
        )
    return np.broadcast_to(np.array(given, int), len(pixels))


def names_of(count: int) -> list[str]:
    """What the pictures of a batch are called in an error."""
    return ["image"] if count == 1 else [f"image {row}" for row in range(count)]
