"""Random erasing: a rectangle of an image becomes noise.

Zhong, Zheng, Kang, Li & Yang, 2017, https://arxiv.org/abs/1708.04896, algorithm 1.
"""

import numpy as np

# Section 4.2 of the paper: share of the image, and height by width.
_AREA = 0.02, 0.33
_RATIO = 0.3, 1 / 0.3


def erase_parts(images: np.ndarray, probability: float, draws: np.ndarray) -> None:
    """Cover a rectangle of some images, in place.

    Args:
        images: uint8 `(n, height, width, 3)`.
        probability: of each.
        draws: `(n, 6)` uniform numbers in [0, 1): whether, area, ratio, place in y and
            x, and the seed of the noise.
    """
    height, width = images.shape[1:3]
    for image, draw in zip(images, draws, strict=True):
        if draw[0] >= probability:
            continue
        area = (_AREA[0] + draw[1] * (_AREA[1] - _AREA[0])) * height * width
        low, high = np.log(_RATIO)
        ratio = np.exp(low + draw[2] * (high - low))
        # A long one is cut to fit, where the paper draws again.
        rows = int(np.clip(round(np.sqrt(area * ratio)), 1, height))
        columns = int(np.clip(round(np.sqrt(area / ratio)), 1, width))
        y = int(draw[3] * (height - rows + 1))
        x = int(draw[4] * (width - columns + 1))
        noise = np.random.default_rng(int(draw[5] * 2**53))
        size = rows, columns, images.shape[3]
        image[y : y + rows, x : x + columns] = noise.integers(0, 256, size, np.uint8)
