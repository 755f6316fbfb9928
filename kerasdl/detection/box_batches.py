"""Batches of photos with boxes: one warp for a photo, and for its boxes the same."""

import math
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from kerasdl.batches import Batch, aligned_empty
from kerasdl.data import Augment, PhotoBatches, averaged, placement, sampled
from kerasdl.data.augment import apply_colour

from ._copy_paste import PASTES, pasted
from ._mosaic import Tile, is_mosaic, mosaic_tiles
from .annotations import BOX, SHAPES, Annotations, are_ignored
from .geometry import clipped, moved, on_edges, to_view
from .masks import as_pixels, corners_of, lowered, mask_size

MIN_VISIBLE = 0.25
_VOID = 127  # of 255: less than what counts as seen
CLASS, IGNORED, MASK = 4, 5, 6  # columns of labels, after the corners


class BoxBatches(PhotoBatches):
    """Batches of photos and boxes, each a pure function of (`seed`, epoch, index).

    Labels of a batch are float32 `(n, max_boxes, 6)`, a row for each box: x1 y1 x2 y2
    in pixels of the view, the number of its class, and 1 where it is difficult or a
    crowd. Of rows beyond the last box the class is -1. (One array, as Keras takes no
    dict for a model of one output.) With masks each row goes on with its mask, shares
    in [0, 1] at a quarter of the view's size, row after row; what is void counts half,
    so that a mask ends in the middle of its border.

    Args:
        annotations: of the photos, with the size of each.
        image_size: one side or (height, width), in pixels.
        batch_size: photos in a batch.
        resize: "pad" shows the whole photo between black borders, "squash", "crop".
        augment: how views are drawn, black beyond the photo; None for plain ones.
        mosaic: probability that a view is a mosaic of four photos of its batch.
        masks: whether labels have masks; a box without one is its own.
        copy_paste: probability that a view gets an object of another view, by masks;
            it may get up to three, each with this probability.
        shuffle: a new order each epoch.
        on_error: "skip" or "raise", of photos that cannot be read.
        max_pixels: largest height * width that is decoded.
        seed: of order and augmentation.

    Attributes:
        max_boxes: as many as a view can show.
    """

    def __init__(
        self,
        annotations: Annotations,
        image_size: int | tuple[int, int],
        batch_size: int,
        resize: str = "pad",
        *,
        augment: Augment | None = None,
        mosaic: float = 0.0,
        masks: bool = False,
        copy_paste: float = 0.0,
        shuffle: bool = False,
        on_error: str = "skip",
        max_pixels: int,
        seed: int = 0,
    ) -> None:
        photos = annotations.photos
        self._sizes = photos[["height", "width"]].to_numpy().tolist()
        self._boxes = _by_photo(annotations)
        most = (4 if mosaic else 1) * max(map(len, self._boxes))
        most += PASTES if copy_paste else 0
        self.max_boxes = max(most, 1)
        self.mosaic, self.masks, self.copy_paste = mosaic, masks, copy_paste
        self._shapes = _shapes_by_photo(annotations) if masks else []
        super().__init__(
            [annotations.root / file for file in photos.index],
            np.zeros(len(photos)),  # labels of a batch are made with its views
            image_size,
            batch_size,
            resize,
            augment=augment,
            shuffle=shuffle,
            on_error=on_error,
            max_pixels=max_pixels,
            seed=seed,
        )
        self._plain = [to_view(s, self.image_size, resize) for s in self._sizes]
        # Tiles of a mosaic have their own zoom and place.
        still = {"width_shift_range": 0.0, "height_shift_range": 0.0, "padding": 0.0}
        self._turns = replace(self.augment, zoom_range=(1, 1), crop=1.0, **still)

    @property
    def _mixes(self) -> bool:
        return self.mosaic > 0 or self.copy_paste > 0

    @property
    def _columns(self) -> int:
        return MASK + (math.prod(mask_size(self.image_size)) if self.masks else 0)

    def _label_spec(self) -> tf.TensorSpec:
        return tf.TensorSpec((None, self.max_boxes, self._columns), tf.float32)

    def _read_batch(self, epoch: int, index: int, part: slice = slice(None)) -> Batch:
        rows = self.plan.rows(epoch, index)[part]
        draws = self._draws(epoch, index)[part]
        later = self._draws(epoch, index, stream=3)[part]
        photos, kept = [], []
        for number, row in enumerate(rows):
            if (photo := self._read(row)) is not None:
                # A photo may be in several views: this is the same for all of them.
                photos.append(averaged(photo, self.image_size, self.resize))
                kept.append(number)
        rows, draws, later = rows[kept], draws[kept], later[kept]
        of_mosaics = self._draws(epoch, index, stream=4)[part][kept]
        images = aligned_empty((len(rows), *self.image_size, 3), np.uint8)
        labels = np.zeros((len(rows), self.max_boxes, self._columns), np.float32)
        labels[..., CLASS] = -1
        boxes, masks = [], []
        for place, tiles in enumerate(self._tiles(rows, draws, of_mosaics)):
            for tile in tiles:
                photo, row = photos[tile.place], rows[tile.place]
                self._paint(photo, self._sizes[row], tile, images[place])
            found = [self._shown(rows[t.place], t) for t in tiles]
            boxes.append(np.concatenate([own for own, _ in found]))
            if self.masks:
                warped = [
                    self._warped(rows[tile.place], tile, is_seen)
                    for tile, (_, is_seen) in zip(tiles, found, strict=True)
                ]
                masks.append(np.concatenate(warped))
        if self.copy_paste:
            boxes, masks = pasted(
                images,
                boxes,
                masks,
                [
                    self._draws(epoch, index, stream=5 + paste)[part][kept]
                    for paste in range(PASTES)
                ],
                share=self.copy_paste,
                min_visible=MIN_VISIBLE,
            )
        for place, found in enumerate(boxes):
            labels[place, : len(found), :MASK] = found
            if self.masks:
                shape = len(found), self._columns - MASK
                labels[place, : len(found), MASK:] = lowered(masks[place]).reshape(
                    shape
                )
        colours = self.augment.colours(draws, later)
        if colours is not None:
            for image, matrix in zip(images, colours, strict=True):
                apply_colour(image, matrix)
        self._finish_each(images, later)
        return images, labels

    def _tiles(
        self, rows: np.ndarray, draws: np.ndarray, of_mosaics: np.ndarray
    ) -> list[list[Tile]]:
        """What each view of a batch is made of."""
        height, width = self.image_size
        views = []
        transforms = self.augment.transforms(draws, self.image_size)
        turns = self._turns.transforms(draws, self.image_size)
        contents = [self._content(row) for row in rows] if self.mosaic else []
        for place, row in enumerate(rows):
            if is_mosaic(of_mosaics[place], self.mosaic):
                drawn = of_mosaics[place]
                tiles = mosaic_tiles(place, turns, contents, self.image_size, drawn)
            else:
                tile = Tile(place, transforms[place], (0, 0, width, height))
                # A view that lost every object would teach that there is none.
                if len(self._boxes[row]) and not len(self._shown(row, tile)[0]):
                    tile = replace(tile, transform=turns[place])
                tiles = [tile]
            views.append(tiles)
        return views

    def _content(self, row: int) -> np.ndarray:
        """Where the photo lies in its plain view, x1 y1 x2 y2."""
        height, width = self._sizes[row]
        return moved(np.array([[0.0, 0.0, width, height]]), self._plain[row])[0]

    def _paint(
        self, photo: np.ndarray, size: tuple[int, int], tile: Tile, image: np.ndarray
    ) -> None:
        """Warp `photo`, which has had `size`, into its part of `image`."""
        x1, y1, x2, y2 = tile.window
        begin = np.array([[1, 0, x1], [0, 1, y1], [0, 0, 1]])
        matrix = placement(photo.shape[:2], size, "squash")
        matrix = matrix @ placement(size, self.image_size, self.resize)
        sampled(
            photo,
            matrix @ tile.transform @ begin,
            (y2 - y1, x2 - x1),
            cv2.INTER_LINEAR,
            # A mirrored object beyond the photo would have no box.
            cv2.BORDER_CONSTANT,
            out=image[y1:y2, x1:x2],
        )

    def _warped(self, row: int, tile: Tile, is_seen: np.ndarray) -> np.ndarray:
        """Masks of the boxes that are seen, uint8 `(n, height, width)`, by the warp."""
        size, (x1, y1, x2, y2) = self._sizes[row], tile.window
        found = np.zeros((is_seen.sum(), *self.image_size), np.uint8)
        begin = np.array([[1, 0, x1], [0, 1, y1], [0, 0, 1]])
        matrix = placement(size, self.image_size, self.resize) @ tile.transform @ begin
        for place, number in enumerate(np.flatnonzero(is_seen)):
            mask, void = self._shapes[row][number]
            if mask is None:
                mask = [corners_of(self._boxes[row][number][:4].tolist())]
            pixels = 255 * as_pixels(mask, tuple(size))
            if void is not None:
                pixels = np.maximum(pixels, _VOID * as_pixels(void, tuple(size)))
            found[place, y1:y2, x1:x2] = sampled(
                pixels[..., None],
                matrix,
                (y2 - y1, x2 - x1),
                cv2.INTER_LINEAR,
                cv2.BORDER_CONSTANT,
            )[..., 0]
        return found

    def _shown(self, row: int, tile: Tile) -> tuple[np.ndarray, np.ndarray]:
        """Boxes of a photo that its tile shows enough of, `(n, 6)`, and which."""
        found = self._boxes[row]
        if not len(found):
            return found, np.zeros(0, bool)
        matrix = on_edges(tile.transform) @ self._plain[row]
        boxes = moved(found[:, :CLASS], matrix)
        boxes, is_seen = clipped(boxes, tile.window, MIN_VISIBLE)
        return np.concatenate([boxes, found[:, CLASS:]], axis=1)[is_seen], is_seen


def _by_photo(annotations: Annotations) -> list[np.ndarray]:
    """Boxes, classes and flags of each photo, `(n, 6)`, in the order of the photos."""
    boxes = annotations.boxes
    rows = np.column_stack([boxes[BOX], annotations.labels(), are_ignored(boxes)])
    places = boxes.groupby("file").indices
    return [rows[places.get(file, [])] for file in annotations.photos.index]


def _shapes_by_photo(annotations: Annotations) -> list[list[list[Any]]]:
    """Mask and void of each box of each photo, in their order."""
    shapes = annotations.boxes[SHAPES].to_numpy().tolist()
    places = annotations.boxes.groupby("file").indices
    files = annotations.photos.index
    return [[shapes[place] for place in places.get(file, [])] for file in files]
