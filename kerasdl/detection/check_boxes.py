"""Look at photos with boxes before training: what is wrong, how many, how large."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasdl._described import some
from kerasdl._figure import BLUE, new_figure, plain_axes, save_figure
from kerasdl._fonts import legible
from kerasdl.data import ImageCheck, check_images

from .annotations import Annotations
from .faults import box_faults, measured
from .formats.find import read_annotations
from .mask_faults import mask_faults

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class BoxCheck:
    """What `check_boxes` found.

    Attributes:
        counts: boxes of each class (columns) in each split (rows).
        photos: a row for each photo that can be used: `split`, `height` and `width` in
            pixels, and `boxes`, their number.
        boxes: a row for each good box on these: `file`, `label`, and `width` and
            `height` in pixels.
        faults: a row for each fault: `file`, `box`, its row in the annotations or -1 of
            a whole photo, and `fault`.
        images: what `data.check_images` found of all photos below the folder, such as
            photos that are there twice.
        across_splits: groups of equal photos in several splits.
    """

    counts: pd.DataFrame
    photos: pd.DataFrame
    boxes: pd.DataFrame
    faults: pd.DataFrame
    images: ImageCheck
    across_splits: list[list[str]]

    @property
    def smallest_share(self) -> float:
        """Median side of the objects of the smallest class, by its photo's longer one.

        So a class whose objects have 50 x 20 pixels in photos of 640 x 480 has 0.049. 1
        where there are no boxes.
        """
        boxes = self.boxes
        if not len(boxes):
            return 1.0
        longest = self.photos.loc[boxes["file"], ["height", "width"]].max(axis=1)
        shares = np.sqrt(boxes["width"] * boxes["height"]) / longest.to_numpy()
        return float(shares.groupby(boxes["label"]).median().min())

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        photos, boxes = self.photos, self.boxes
        sides = _spread(np.sqrt(boxes["width"] * boxes["height"]).round(), boxes)
        shapes = _spread((boxes["width"] / boxes["height"]).round(2), boxes)
        shapes = shapes.add_suffix(" w:h")
        lines = [
            f"{len(photos)} usable photos, {int((photos['boxes'] == 0).sum())} without "
            f"boxes; {len(boxes)} good boxes; {len(self.faults)} faults; "
            f"{len(self.images.duplicates)} groups of duplicates, "
            f"{len(self.across_splits)} across splits",
            self.counts.T.to_string(),
            "boxes a photo: "
            + some([f"{n} in {k}" for n, k in photos["boxes"].value_counts().items()]),
            "sides in pixels (root of the area) and widths by heights, by class:",
            sides.join(shapes).to_string(),
        ]
        for fault in self.faults.itertuples():
            where = f" box {fault.box}" if fault.box >= 0 else ""
            lines.append(f"fault: {fault.file}{where}: {fault.fault}")
        lines += [f"across splits: {', '.join(group)}" for group in self.across_splits]
        return "\n".join(lines)

    def plot(self, path: str | Path | None = None) -> "Figure":
        """Draw boxes by class, boxes a photo, and sides of boxes; as `plots` does."""
        figure = new_figure(13, 4)
        left, middle, right = figure.subplots(1, 3)
        plain_axes(left, "boxes", "")
        counts = self.boxes["label"].value_counts()[::-1]
        left.barh(range(len(counts)), counts, color=BLUE)
        left.set_yticks(range(len(counts)), legible(counts.index), parse_math=False)
        plain_axes(middle, "boxes a photo", "photos")
        most = int(self.photos["boxes"].max()) if len(self.photos) else 0
        middle.hist(self.photos["boxes"], np.arange(most + 2) - 0.5, color=BLUE)
        plain_axes(right, "width of a box, pixels", "height of a box, pixels")
        right.plot(
            self.boxes["width"], self.boxes["height"], ".", color=BLUE, alpha=0.4
        )
        return save_figure(figure, path)


def _spread(values: pd.Series, boxes: pd.DataFrame) -> pd.DataFrame:
    """The least, the middle and the largest value of each class."""
    return values.groupby(boxes["label"]).agg(["min", "median", "max"])


def check_boxes(
    annotations: Annotations | str | Path, verbose: int = 1, *, masks: bool = True
) -> BoxCheck:
    """Decode every photo, look at every box, and report what is wrong with which.

    Boxes that reach outside their photo, are without area, of an unknown class or there
    twice; photos that are missing, damaged, or of another size than their boxes are
    said to be of, such as those that EXIF turns; masks and voids of another size than
    the photo, empty masks, polygons of less than three points, masks outside of their
    box.

    Args:
        annotations: or a folder of photos with boxes, in any form.
        verbose: 1 shows a progress bar; 0 shows nothing.
        masks: whether to look at masks, as who trains without has no use for them.

    Raises:
        ImportError: there are masks to look at, and the extra `detection` is not
            installed.
        ValueError: the folder cannot be read.
    """
    if not isinstance(annotations, Annotations):
        annotations = read_annotations(annotations)
    images = check_images(annotations.root, verbose=verbose)
    sizes, of_photos = measured(annotations)
    of_boxes = box_faults(annotations, sizes)
    damaged = {
        file: reason
        for file, reason in images.damaged.items()
        if file in annotations.photos.index
    }
    of_photos = pd.Series({**of_photos, **damaged}, dtype=object)
    photos = annotations.photos[["split"]].join(sizes, how="inner")
    photos = photos.drop(of_photos.index, errors="ignore")
    boxes = annotations.boxes
    good = boxes.drop(of_boxes.index)
    good = good[good["file"].isin(photos.index)]
    faults = [(file, -1, fault) for file, fault in of_photos.items()]
    of_rows = list(of_boxes.items())
    if masks:
        usable = sizes.drop(of_photos.index, errors="ignore")
        of_rows += [(row, why) for row, _, why in mask_faults(annotations, usable)]
    faults += [(boxes.at[row, "file"], row, fault) for row, fault in of_rows]
    splits = annotations.photos["split"]
    return BoxCheck(
        counts=annotations.counts(),
        photos=photos.assign(
            boxes=good["file"].value_counts().reindex(photos.index, fill_value=0)
        ),
        boxes=pd.DataFrame(
            {
                "file": good["file"],
                "label": good["label"],
                "width": good["x2"] - good["x1"],
                "height": good["y2"] - good["y1"],
            }
        ),
        faults=pd.DataFrame(faults, columns=["file", "box", "fault"]),
        images=images,
        across_splits=[
            group
            for group in images.duplicates
            if len({splits[file] for file in group if file in splits.index}) > 1
        ],
    )
