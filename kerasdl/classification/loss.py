"""The loss and the metrics that a set of labels asks for."""

import keras

from kerasdl.data import ImageData

from .fbeta import FBeta


def classification_loss(
    model: keras.Model, data: ImageData, label_smoothing: float = 0.0
) -> keras.losses.Loss:
    """Return the cross-entropy for the labels of `data` and the outputs of `model`.

    Binary for one sigmoid unit and for several labels a photo, else categorical, sparse
    where labels are class indices.

    Args:
        model: returns probabilities, `(batch, outputs)`.
        data: its labels decide.
        label_smoothing: share in [0, 1) of each label that is spread over all classes.

    Raises:
        ValueError: labels and outputs do not match.
    """
    labels, outputs = data.encoded_labels("train"), model.output_shape[-1]
    columns = labels.shape[1] if labels.ndim == 2 else 1
    classes = len(data.class_names)
    smoothing = {"label_smoothing": label_smoothing}
    if columns == outputs and (outputs == 1 or data.label_mode == "multi_label"):
        if data.label_mode == "multi_label" or classes == 2:
            return keras.losses.BinaryCrossentropy(**smoothing)
    elif columns == outputs:
        return keras.losses.CategoricalCrossentropy(**smoothing)
    elif labels.ndim == 1 and outputs == classes and not label_smoothing:
        return keras.losses.SparseCategoricalCrossentropy()
    raise ValueError(
        "`model` must have an output for each column of the labels. Received: "
        f"{outputs} outputs, label_mode={data.label_mode!r} ({columns} columns), "
        f"label_smoothing={label_smoothing!r}, {classes} classes."
        f"{_advice(columns, outputs, classes)}"
    )


def _advice(columns: int, outputs: int, classes: int) -> str:
    """How the labels, or the model, can be made to match."""
    if outputs == classes:
        one = ", or end the model in one sigmoid unit" if classes == 2 else ""
        return f' Pass `label_mode="categorical"` with the data{one}.'
    if outputs == 1 and columns == classes == 2:
        return ' Pass `label_mode="binary"` with the data, or give the model 2 outputs.'
    two = ", or 1 sigmoid unit" if classes == 2 else ""
    return f" Give the model {classes} outputs{two}."


def classification_metrics(data: ImageData) -> list[str | keras.metrics.Metric]:
    """Return the accuracy, and for several labels a photo F2 (`FBeta`) too.

    Keras would take the accuracy of such labels for that of the most probable class;
    this one is of each label, an answer being a probability above 0.5.
    """
    if data.label_mode == "multi_label":
        return [keras.metrics.BinaryAccuracy(name="accuracy"), FBeta()]
    return ["accuracy"]
