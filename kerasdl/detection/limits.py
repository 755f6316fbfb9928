"""What a detector cannot find in photos, said before its training."""

import numpy as np

from .annotations import BOX
from .assignment import REACH
from .box_batches import MIN_VISIBLE
from .data import BoxData
from .geometry import clipped, moved, to_view
from .with_answers import MAX_ANSWERS


def limits(
    data: BoxData, max_answers: int = MAX_ANSWERS, stride: int | None = None
) -> list[str]:
    """Sentences about what cannot be found or is taken for something else.

    Batches have every box of a photo, however many there are, but those that are less
    than a pixel wide or high in the network's pictures, or of which a crop leaves less
    than a quarter; and of a photo as many are found as there are answers. Boxes without
    masks stand for them.

    An answer of `fcos` holds the point that gives it. An object that lies between the
    points, as those of less than about half the finest stride often do, has answers of
    an IoU below .5 at best, and is not trained on there; at another place it is.

    Args:
        data: photos with boxes.
        max_answers: to a photo.
        stride: the finest of `fcos`; None for other detectors.
    """
    known, said = data.annotations, []
    height, width = data.image_size
    boxes, photos = known.boxes, known.photos
    gone = narrow = 0
    corners = boxes[BOX].to_numpy()
    sizes = photos[["height", "width"]].to_numpy().tolist()
    sizes = dict(zip(photos.index, sizes, strict=True))
    for file, rows in boxes.groupby("file").indices.items():
        matrix = to_view(sizes[file], data.image_size, data.resize)
        shown = moved(corners[rows], matrix)
        shown, is_seen = clipped(shown, (0, 0, width, height), MIN_VISIBLE)
        gone += int((~is_seen).sum())
        if stride is not None:
            sides = shown[:, 2:] - shown[:, :2]
            # Half way between two points a side is the least of what holds one too.
            share = np.minimum(2 * sides / (sides + stride), 1).prod(axis=1)
            narrow += int((is_seen & (share < REACH)).sum())
    if gone:
        or_cut = " or a quarter of themselves" if data.resize == "crop" else ""
        said.append(
            f"{gone} of {len(boxes)} boxes show less than a pixel{or_cut} in pictures "
            f"of {height} x {width}: they are not trained on"
        )
    if narrow:
        said.append(
            f"{narrow} of {len(boxes)} boxes are too small in pictures of {height} x "
            f"{width} for a stride of {stride}: between its points they are neither "
            "trained on nor found"
        )
    counts = boxes["file"].value_counts()
    if (many := int((counts > max_answers).sum())) > 0:
        said.append(
            f"photos of more than {max_answers} objects: {many}, of up to "
            f"{counts.max()}; all are trained on, {max_answers} a photo found at most"
        )
    missing = int(boxes["mask"].isna().sum()) if data.masks else 0
    if missing and missing == len(boxes):
        said.append("no masks: boxes stand for them")
    elif missing:
        said.append(f"{missing} of {len(boxes)} boxes have no mask, and stand for it")
    return said
