"""Flows of photos on disk: read, stretched and transformed in one sampling."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np

from kerasdl._checks import check_one_of, check_positive_int, size_pair
from kerasdl.batches import Batch

from .._decode import read_image
from ._flow import Flow
from ._image_transforms import ImageTransforms
from ._legacy_warp import SAMPLING, warp_photo
from ._listing import Listing, subset_bounds

CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


class FileFlow(Flow):
    """Batches of photos on disk.

    `ImageDataGenerator.flow_from_directory` and `.flow_from_dataframe` have the
    arguments, as many as the legacy class has. A damaged file is named in a warning,
    listed in `damaged` and left out of its batch: `predict` has no row for it.

    Attributes:
        filenames: relative to the directory, in the order of an unshuffled pass.
        filepaths: the same, with the directory.
        samples: number of files.
        class_indices: label by class name; None for class modes without classes.
        num_classes: number of classes.
        classes: label of each file; None without classes.
        labels: target of each file; of "raw" and "multi_output" too.
        target_size: `(height, width)` of the images.
        allowed_class_modes: those that such a flow has.
        subset: "training", "validation", or None for all.
        split: first and last fraction of the images in `subset`, or None.
    """

    def __init__(
        self,
        generator: ImageTransforms,
        listing: Listing,
        target_size: tuple[int, int],
        color_mode: str,
        class_mode: str | None,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        saving: tuple[str | Path | None, str, str],
        interpolation: str,
        keep_aspect_ratio: bool,
        subset: str | None,
        max_pixels: int,
    ) -> None:
        check_one_of("color_mode", color_mode, CHANNELS)
        check_one_of("interpolation", interpolation, SAMPLING)
        check_positive_int("max_pixels", max_pixels)
        self.directory = listing.directory
        self.filenames = listing.filenames
        self.filepaths = [os.path.join(self.directory, f) for f in self.filenames]
        self.samples = len(self.filenames)
        self.class_indices = listing.class_indices
        self.num_classes = len(self.class_indices or ())
        self.classes = listing.classes
        self.labels = listing.labels
        self.sample_weight = listing.sample_weight
        self.target_size = size_pair("target_size", target_size)
        self.color_mode = color_mode
        self.class_mode = class_mode
        self.interpolation = interpolation
        self.keep_aspect_ratio = keep_aspect_ratio
        self.max_pixels = max_pixels
        self.allowed_class_modes = listing.allowed_class_modes
        self.subset = subset
        self.split = subset and subset_bounds(subset, generator.validation_split)
        super().__init__(
            generator,
            self.samples,
            (*self.target_size, CHANNELS[color_mode]),
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            saving=saving,
        )

    def _put_image(
        self, index: int, transform: Mapping[str, Any], out: np.ndarray
    ) -> None:
        generator = self.generator
        order = generator.interpolation_order
        sampling = SAMPLING[self.interpolation]
        if order > 1:  # SciPy alone has such splines: it gets the plain view
            warp, rest = {}, transform
        else:
            # OpenCV numbers its kernels as splines are: 0 nearest, 1 bilinear.
            sampling = max(sampling, order)
            warp = transform
            rest = {
                name: transform[name]
                for name in ("channel_shift_intensity", "brightness")
                if name in transform
            }
        out[...] = warp_photo(
            self._read(self.filepaths[index], sampling),
            self.target_size,
            warp,
            fill_mode=generator.fill_mode if warp else "nearest",
            cval=generator.cval,
            sampling=sampling,
        )
        self._finish(out, rest)

    def _look(self, index: int) -> None:
        self._read(self.filepaths[index], cv2.INTER_LINEAR)

    def _read(self, path: str, sampling: int) -> np.ndarray:
        # The nearest pixel is that of the whole photo, not of a reduced one.
        photo = read_image(
            path,
            None if sampling == cv2.INTER_NEAREST else self.target_size,
            self.max_pixels,
            color_mode=self.color_mode,
        )
        return _centre(photo, self.target_size) if self.keep_aspect_ratio else photo

    def _beside(self, indices: np.ndarray, images: np.ndarray) -> Batch:
        targets = self._targets(indices, images)
        if self.sample_weight is None:
            return targets
        return *targets, self.sample_weight[indices]

    def _targets(self, indices: np.ndarray, images: np.ndarray) -> Batch:
        if self.class_mode is None:
            return ()
        if self.class_mode == "input":
            return (images.copy(),)
        if self.class_mode == "multi_output":
            return tuple(output[indices] for output in self.labels)
        if self.class_mode == "raw":
            return (self.labels[indices],)
        labels = [self.classes[index] for index in indices]
        if self.class_mode != "categorical":
            return (np.array(labels, self.generator.dtype),)
        hot = np.zeros((len(labels), self.num_classes), self.generator.dtype)
        for row, label in zip(hot, labels, strict=True):
            row[label] = 1  # one label, or a list of them
        return (hot,)

    def _nest(self, arrays: tuple[Any, ...]) -> Any:
        if self.class_mode is None:
            return arrays[0]
        targets = [0] * len(self.labels) if self.class_mode == "multi_output" else 0
        weights = [] if self.sample_weight is None else [0]
        return keras.tree.pack_sequence_as((0, targets, *weights), arrays)


def _centre(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest part in the middle of `photo` with the aspect ratio of `size`."""
    height, width = photo.shape[:2]
    crop_height = min(height, width * size[0] // size[1])
    crop_width = min(width, height * size[1] // size[0])
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return photo[top : top + crop_height, left : left + crop_width]
