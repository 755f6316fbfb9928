"""The fixed views of test-time augmentation, as functions of a batch of pictures.

Made of Keras's own operations, so that the same code serves a batch of pixels and the
inside of a model. The views are of the picture at the model's size.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from keras import ops

from kerasdl._checks import check_one_of

_CROP = 7 / 8  # of each side: 224 of 256, as AlexNet's test crops


def _flip(x: Any) -> list[Any]:
    """The plain view and its mirror image."""
    return [x, ops.flip(x, axis=2)]


def _dihedral(x: Any) -> list[Any]:
    """The eight symmetries of the square, the plain view first."""
    mirrored = [view for half in (x, ops.flip(x, axis=1)) for view in _flip(half)]
    return mirrored + [ops.transpose(view, (0, 2, 1, 3)) for view in mirrored]


def _five_crop(x: Any) -> list[Any]:
    """The four corners and the centre, enlarged to the size of the whole."""
    height, width = x.shape[1:3]
    h, w = round(height * _CROP), round(width * _CROP)
    bottom, right = height - h, width - w
    starts = [(0, 0), (0, right), (bottom, 0), (bottom, right)]
    starts.append((bottom // 2, right // 2))
    return [
        ops.image.resize(x[:, y : y + h, x0 : x0 + w], (height, width))
        for y, x0 in starts
    ]


class ViewSet(NamedTuple):
    """A set of views.

    Attributes:
        make: returns the views of a batch; the plain one, if it is one, comes first.
        has_plain: whether it is.
        others: number of views besides.
    """

    make: Callable[[Any], list[Any]]
    has_plain: bool
    others: int


VIEWS: Mapping[str, ViewSet] = MappingProxyType(
    {
        "flip": ViewSet(_flip, has_plain=True, others=1),
        "dihedral": ViewSet(_dihedral, has_plain=True, others=7),
        "five_crop": ViewSet(_five_crop, has_plain=False, others=5),
    }
)


def check_views(name: str, views: str, size: tuple[int | None, int | None]) -> None:
    """Raise ValueError unless pictures of `size` have `views`, the argument `name`."""
    check_one_of(name, views, VIEWS)
    height, width = size
    if views == "dihedral" and (height != width or height is None):
        raise ValueError(
            f"`{name}` must be 'flip' or 'five_crop' unless pictures are square. "
            f"Received: {name}='dihedral' for (height, width) = {tuple(size)}"
        )
    if views == "five_crop" and None in size:
        raise ValueError(
            f"`{name}` must be 'flip' unless pictures have a fixed size. "
            f"Received: {name}='five_crop' for (height, width) = {tuple(size)}"
        )
