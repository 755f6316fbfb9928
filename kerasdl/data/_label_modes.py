"""Labels as datasets yield them, and the line that says which class is which."""

import numpy as np

from kerasdl._checks import check_one_of
from kerasdl._names import print_line

LABEL_MODES = ("int", "binary", "categorical")


def print_classes(class_names: list[str]) -> None:
    """Show which class is which: its place in the list is its label."""
    print_line(f"{len(class_names)} classes: {', '.join(class_names)}")


def label_text(label: np.ndarray | None, class_names: list[str]) -> str:
    """What an encoded label says; shares of classes that were mixed are given."""
    if label is None:
        return ""
    label = np.asarray(label)
    if not label.ndim:
        return class_names[int(label)]
    shares = np.array([1 - label[0], label[0]]) if label.shape == (1,) else label
    named = [(class_names[place], shares[place]) for place in np.flatnonzero(shares)]
    return ", ".join(
        name if share == 1 else f"{name} {share:.2f}" for name, share in named
    )


def encode_labels(
    labels: np.ndarray, num_classes: int, label_mode: str | None
) -> np.ndarray:
    """Labels as `label_mode` says: int32 `(n,)` or float32 `(n, k)`.

    Args:
        labels: class indices `(n,)`; multi-hot `(n, classes)` for several labels a
            photo.
        num_classes: number of classes.
        label_mode: as in `image_folder` for class indices; "multi_label" or None for
            multi-hot labels, which stay as they are.

    Raises:
        ValueError: a mode that is unknown or not for such labels, or "binary" with
            other than two classes.
    """
    if labels.ndim == 2:
        check_one_of("label_mode", label_mode, (None, "multi_label"))
        return labels.astype("float32")
    if label_mode is None:
        label_mode = "binary" if num_classes == 2 else "categorical"
    check_one_of("label_mode", label_mode, LABEL_MODES)
    if label_mode == "int":
        return labels.astype("int32")
    if label_mode == "categorical":
        return np.eye(num_classes, dtype="float32")[labels]
    if num_classes != 2:
        raise ValueError(
            "`label_mode` must be 'int' or 'categorical' for other than two classes. "
            f"Received: label_mode='binary' ({num_classes} classes)"
        )
    return labels.astype("float32")[:, None]
