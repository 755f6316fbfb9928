"""Where the four photos of a mosaic lie: each is one warp into its part of the view."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# What is drawn, in places of the numbers of a view.
_IS_MOSAIC, _CENTRE, _PARTNERS, _ZOOM = 0, slice(1, 3), slice(3, 6), slice(6, 10)
_NEAR_EDGE = 0.3  # the centre lies so far from it at least, as a share of the side


@dataclass(frozen=True)
class Tile:
    """A photo's part of a view.

    Attributes:
        place: of the photo in its batch.
        transform: 3x3, from a pixel of the view to one of the photo's plain view.
        window: x1, y1, x2, y2 in whole pixels of the view.
    """

    place: int
    transform: np.ndarray
    window: tuple[int, int, int, int]


def is_mosaic(draws: np.ndarray, share: float) -> bool:
    """Whether a view with these numbers is a mosaic."""
    return draws[_IS_MOSAIC] < share


def mosaic_tiles(
    place: int,
    turns: np.ndarray,
    contents: Sequence[np.ndarray],
    image_size: tuple[int, int],
    draws: np.ndarray,
) -> list[Tile]:
    """The tiles of a mosaic: a photo and three others of its batch about a centre.

    Each touches the centre with a corner, at half its plain size up to its whole.

    Args:
        place: of the first photo in the batch.
        turns: 3x3 transforms of all plain views of the batch, `(n, 3, 3)`, such as
            mirrors, that keep their middles.
        contents: x1, y1, x2, y2 of each photo in its plain view.
        image_size: (height, width) of a view.
        draws: numbers of the view, uniform in [0, 1).

    Reference:
        Bochkovskiy et al., 2020, https://arxiv.org/abs/2004.10934, figure 3
    """
    height, width = image_size
    spread = _NEAR_EDGE + (1 - 2 * _NEAR_EDGE) * draws[_CENTRE]
    x, y = np.rint(spread * [width, height]).astype(int).tolist()
    windows = (0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)
    others = (draws[_PARTNERS] * len(turns)).astype(int).tolist()
    tiles = []
    for number, (own, zoom) in enumerate(
        zip([place, *others], 1 + draws[_ZOOM], strict=True)
    ):
        x1, y1, x2, y2 = contents[own]
        # The corner of the photo that lies at the centre, on edges of pixels.
        corner = np.array([x1 if number % 2 else x2, y1 if number > 1 else y2])
        shift = corner - zoom * np.array([x, y])
        edges = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]], [0, 0, 1]])
        edges[:2, 2] += 0.5 * zoom - 0.5  # of pixels' centres
        tiles.append(Tile(own, turns[own] @ edges, windows[number]))
    return tiles
