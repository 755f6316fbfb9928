"""What suits a set of photos with boxes: picture size, levels, freezing and epochs."""

import math
from dataclasses import dataclass

from .pyramid import STRIDES

SMALL = 24  # pixels a side that objects of the smallest class shall have
_LEAST, _MOST = 320, 1024  # sides of pictures
_LARGE = 640  # pictures from which on fewer are in a batch
FINE_STRIDES = (4, 8, 16, 32)
# Two cores take about half a second for a million pixels of a training picture, with
# all layers and a level of stride 4 nearly a whole one: so many in a minute.
_MILLIONS = {False: 90, True: 55}
MINUTES, MINUTES_OF_MASKS = 20, 15
_EPOCHS, _STEPS = 32, 840
_FEW_EPOCHS = 12  # a smaller picture is better than fewer,
_FEW_VIEWS = 1600  # but so many pictures that are seen are enough


@dataclass(frozen=True)
class Choices:
    """How a detector is trained.

    Attributes:
        image_size: side of a picture in pixels.
        strides: of the levels.
        freezes: whether the early layers of the trunk stay as they are.
        batch_size: photos in a batch.
        epochs: of one cosine cycle.
        side: of the objects of the smallest class in such a picture, in pixels.
    """

    image_size: int
    strides: tuple[int, ...]
    freezes: bool
    batch_size: int
    epochs: int
    side: float


def choose(
    share: float,
    photos: int,
    image_size: int | None = None,
    freezes: bool | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    *,
    cost: float = 1.0,
    minutes: float = MINUTES,
) -> Choices:
    """Choose what is not given.

    Pictures are so large that objects of the smallest class have 24 pixels a side, from
    320 to 1024 pixels, and smaller where that leaves too few views in twenty minutes
    of two cores. Below 48 pixels the finest level has a stride of 4, and nothing is
    frozen. There are 32 epochs, of few photos as many as make 840 batches, of many as
    fit into the minutes.

    Args:
        share: median side of the smallest class by its photo's longer side, as
            `BoxCheck.smallest_share` gives it.
        photos: for training.
        image_size: as in `Choices`, and so are the others; None chooses.
        freezes: see there.
        batch_size: see there.
        epochs: see there.
        cost: of a training step, in those of `fcos` without masks.
        minutes: of two cores, that training may take.
    """
    size = image_size or min(max(_rounded(SMALL / share), _LEAST), _MOST)
    is_small = share * size < 2 * SMALL
    pixels = _MILLIONS[is_small] * 1e6 * minutes / cost
    budget = pixels / max(photos, 1)  # of a photo
    if image_size is None and epochs is None and size > _LEAST:
        views = min(_FEW_EPOCHS * photos, max(_FEW_VIEWS, 2 * photos))
        affordable = int(math.sqrt(pixels / views)) // 32 * 32
        size = max(min(size, affordable), _LEAST)
    batch_size = batch_size or (8 if size <= _LARGE else 4)
    if epochs is None:
        wanted = max(_EPOCHS, _STEPS // math.ceil(photos / batch_size))
        epochs = max(min(wanted, int(budget / size**2)), 2)
    return Choices(
        image_size=size,
        strides=FINE_STRIDES if is_small else STRIDES,
        freezes=not is_small if freezes is None else freezes,
        batch_size=batch_size,
        epochs=epochs,
        side=share * size,
    )


def _rounded(side: float) -> int:
    """The next multiple of 32."""
    return 32 * math.ceil(side / 32)
