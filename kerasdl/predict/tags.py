"""Several labels a photo, as one text."""

from collections.abc import Sequence

import numpy as np

from kerasdl._checks import first_few


def tags_above(
    probabilities: np.ndarray,
    thresholds: float | np.ndarray,
    class_names: Sequence[str],
) -> list[str]:
    """Name the labels of each photo, with spaces between, in the order of the classes.

    Args:
        probabilities: `(n, classes)`, in [0, 1].
        thresholds: one or `(classes,)`. A label whose probability is above its
            threshold is named; where none is, the one that comes nearest.
        class_names: in the order of the columns.

    Raises:
        ValueError: thresholds of another number, or a name with a space.
    """
    check_tags(thresholds, class_names)
    above = probabilities - np.asarray(thresholds, float)
    chosen = above > 0
    chosen[np.arange(len(chosen)), above.argmax(axis=1)] = True
    names = np.array(class_names)
    return [" ".join(names[row]) for row in chosen]


def check_tags(thresholds: float | np.ndarray, class_names: Sequence[str]) -> None:
    """Raise ValueError unless `tags_above` takes such thresholds and names."""
    shape = np.shape(thresholds)
    if shape not in ((), (len(class_names),)):
        raise ValueError(
            "`thresholds` must be one, or one for each class. Received: shape "
            f"{shape} for {len(class_names)} classes"
        )
    if spaced := [name for name in class_names if " " in name]:
        raise ValueError(
            "`class_names` of tags must be without spaces, which stand between them. "
            f"Received: {first_few(spaced)}"
        )
