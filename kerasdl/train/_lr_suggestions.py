"""Learning rates read off the curve of a sweep: arrays in, a number out.

All take the rates, rising, and the smoothed loss at each. None changes when the losses
are shifted or multiplied.
"""

import numpy as np

_SLIDE_STEPS = 15  # fast.ai's, of a sweep of a hundred
_SLIDE_SLOPE = 0.005  # share of the curve's height by which slopes differ in a step
_FEWEST = 10  # points that are left when the ends are cut off


def suggest(rates: np.ndarray, losses: np.ndarray, num_steps: int) -> dict[str, float]:
    """All suggestions, from the curve without its unsettled start and its last points.

    Args:
        rates: of the batches that were seen.
        losses: smoothed, one for each rate.
        num_steps: batches of a whole sweep.
    """
    kept = slice(num_steps // 10, -5)  # as fast.ai
    if len(rates[kept]) >= _FEWEST:
        rates, losses = rates[kept], losses[kept]
    functions = {
        "steepest": steepest,
        "valley": valley,
        "minimum/10": tenth_of_minimum,
        "slide": slide,
    }
    return {name: float(find(rates, losses)) for name, find in functions.items()}


def steepest(rates: np.ndarray, losses: np.ndarray) -> float:
    """The rate around which the loss falls most in a step of the sweep."""
    slopes = _slopes(losses)
    if len(slopes) > 2:
        slopes[[0, -1]] = np.inf  # they come from one side alone, and are noisy
    return rates[slopes.argmin()]


def tenth_of_minimum(rates: np.ndarray, losses: np.ndarray) -> float:
    """A tenth of the rate at which the loss is lowest."""
    return rates[losses.argmin()] / 10


def valley(rates: np.ndarray, losses: np.ndarray) -> float:
    """The middle of the longest valley.

    That is the longest series of points, not all neighbours, each below the one before:
    a bump does not end it, and a noisy plain before it adds but a few points.
    """
    length = np.ones(len(losses), int)  # of the longest series that ends at each point
    before = np.arange(len(losses))  # and the point before in it
    for i in range(1, len(losses)):
        lengths = np.where(losses[:i] > losses[i], length[:i], 0)
        best = len(lengths) - 1 - lengths[::-1].argmax()  # of equals the nearest
        if lengths[best]:
            length[i], before[i] = lengths[best] + 1, best
    at = length.argmax()
    for _ in range(length.max() // 2):
        at = before[at]
    return rates[at]


def slide(rates: np.ndarray, losses: np.ndarray) -> float:
    """Where an interval comes to rest that slides down from the largest rate.

    It slides as long as the slopes of the curve at its two ends differ; its lower end
    then is the largest rate before the loss is about to explode.
    """
    slopes = _slopes(losses)
    width = min(_SLIDE_STEPS, (len(losses) - 1) // 2)
    threshold = _SLIDE_SLOPE * np.ptp(losses)
    low = len(losses) - 1 - width
    while low > 0 and abs(slopes[low + width] - slopes[low]) > threshold:
        low -= 1
    return rates[low]


def _slopes(losses: np.ndarray) -> np.ndarray:
    return np.gradient(losses) if len(losses) > 1 else np.zeros(1)
