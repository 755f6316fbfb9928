"""One check of pixels that a caller hands over as arrays."""

from collections.abc import Sequence

import numpy as np


def check_pixels(name: str, pixels: np.ndarray | Sequence[np.ndarray]) -> None:
    """Raise ValueError unless the argument `name` holds pixels in [0, 255].

    Floats that are all in [0, 1] are scaled already, and a network would see black:
    they are refused, unless all are 0. Arrays of integers are taken as they are.

    Args:
        name: of the argument.
        pixels: one array of any shape, or several, which are looked at together.
    """
    arrays = [pixels] if isinstance(pixels, np.ndarray) else pixels
    arrays = [array for array in arrays if array.size and array.dtype != np.uint8]
    if not arrays:
        return
    # Of values that are no numbers, minimum and maximum are none.
    low = np.min([array.min() for array in arrays])
    high = np.max([array.max() for array in arrays])
    is_float = any(np.issubdtype(array.dtype, np.floating) for array in arrays)
    count = sum(array.size for array in arrays)
    if not (low >= 0 and high <= 255) or (is_float and count > 1 and 0 < high <= 1):
        raise ValueError(
            f"`{name}` must be pixels in [0, 255]: scaling is in the model. Received: "
            f"values from {low} to {high}"
            + (". Multiply them by 255." if 0 <= low and high <= 1 else "")
        )
