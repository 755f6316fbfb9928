"""What a network says of texts, and how good that is."""

from collections.abc import Sequence

import keras
import numpy as np
from sklearn import metrics

from .tokenizer import pad

_BATCH = 256
_LEAST = 8  # tokens of a padded batch


def answer_tokens(network: keras.Model, encoded: Sequence[np.ndarray]) -> np.ndarray:
    """Probabilities of each text, `(n, classes)`, in order.

    Texts of like length are computed together.

    Args:
        network: of tokens.
        encoded: as of `Tokenizer.encode`.
    """
    order = np.argsort([len(text) for text in encoded], kind="stable")
    found = np.zeros((len(encoded), network.output_shape[-1]), "float32")
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        part = [encoded[row] for row in rows]
        length = max(_LEAST, max(map(len, part)))
        found[rows] = network.predict_on_batch(pad(part, length))
    return found


def scores(classes: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Accuracy, macro F1, log loss, and the ROC AUC of two classes.

    Args:
        classes: numbers of the true ones, `(n,)`.
        probabilities: `(n, classes)`.
    """
    found = probabilities.argmax(axis=1)
    every = range(probabilities.shape[1])
    scored = {
        "accuracy": metrics.accuracy_score(classes, found),
        "macro_f1": metrics.f1_score(classes, found, average="macro"),
        "log_loss": metrics.log_loss(classes, probabilities, labels=every),
    }
    if probabilities.shape[1] == 2 and len(np.unique(classes)) == 2:
        scored["roc_auc"] = metrics.roc_auc_score(classes, probabilities[:, 1])
    return {name: float(value) for name, value in scored.items()}
