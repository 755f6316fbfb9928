"""How certain a classifier may be: its logits divided by a temperature."""

import numpy as np
from scipy import optimize, special

from .outputs import class_probabilities
from .scores import cross_entropy


def soften(outputs: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities after their logits were divided by `temperature`.

    Args:
        outputs: probabilities, `(n, 1)` of the second class or `(n, classes)`.
        temperature: above 0; above 1 makes them less certain.

    Returns:
        Probabilities of the same shape, float32; of those below 1e-7, that of 1e-7.
    """
    probabilities = class_probabilities(outputs)
    logits = np.log(np.maximum(probabilities, 1e-7)) / temperature
    softened = special.softmax(logits, axis=1).astype("float32")
    return softened[:, 1:] if outputs.shape[1] == 1 else softened


def best_temperature(outputs: np.ndarray, labels: np.ndarray) -> float:
    """The temperature, from 1 to 10, at which held out photos have the lowest loss.

    Networks that train long on few photos end too certain. Where they are not certain
    enough, 1: photos that are all right would ask for ever more certainty.

    Args:
        outputs: probabilities, `(n, 1)` of the second class or `(n, classes)`.
        labels: class of each row.

    Returns:
        What logits are to be divided by.

    Reference:
        Guo et al. 2017, On Calibration of Modern Neural Networks (temperature scaling)

    Example:
        ```
        found = learn.predict("valid")
        kd.classification.best_temperature(found.probabilities, found.labels)
        ```
    """

    def loss(logarithm: float) -> float:
        softened = soften(outputs, np.exp(logarithm))
        return float(cross_entropy(softened, labels).mean())

    found = optimize.minimize_scalar(loss, bounds=(0, np.log(10)), method="bounded")
    return float(np.exp(found.x)) if found.fun < loss(0) else 1.0
