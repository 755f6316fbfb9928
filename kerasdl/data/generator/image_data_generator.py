"""Keras's legacy ImageDataGenerator: its interface, on our pool of threads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .._decode import MAX_PIXELS
from ._array_flow import ArrayFlow
from ._file_flow import FileFlow
from ._image_transforms import ImageTransforms
from ._listing import list_dataframe, list_directory, subset_bounds


class ImageDataGenerator(ImageTransforms):
    """Random transforms and normalization of images, in batches.

    Code for the class of this name in Keras 2 runs with this one. Given the same
    parameters, arrays come out with the same pixels; photos on disk are stretched
    and transformed in one bilinear sampling, where the legacy class first takes the
    nearest pixel of the resized photo, and EXIF orientation is applied. Sizes in pixels
    are those of the result. `read_image` says what becomes of other depths and colours:
    of 16 bits the upper 8, where the legacy class shows white, or in "grayscale" values
    up to 65,535.

    kerasdl's models take raw pixels in [0, 255] and scale them inside: for them leave
    `rescale`, the `featurewise_*`, `samplewise_*` and `zca_*` arguments and
    `preprocessing_function` alone. A flow says by `raw_pixels` whether they were.

    Args:
        featurewise_center: subtract the mean of each channel, which `fit` measures.
        samplewise_center: subtract the mean of each image.
        featurewise_std_normalization: divide by the deviation of each channel, which
            `fit` measures; implies `featurewise_center`.
        samplewise_std_normalization: divide by the deviation of each image; implies
            `samplewise_center`.
        zca_whitening: multiply by the whitening matrix that `fit` measures; implies
            `featurewise_center`.
        zca_epsilon: added to the singular values there.
        rotation_range: degrees, drawn in [-r, r].
        width_shift_range: a fraction of the width if below 1, else pixels; a float is
            drawn in [-s, s], an integer n is one of -(n-1) to n-1, of a list one value
            and a sign are drawn.
        height_shift_range: the same, of the height. As in the legacy class the two are
            exchanged: this one moves images sideways, the other up and down.
        brightness_range: (low, high) of the factor on pixels.
        shear_range: degrees, drawn in [-s, s].
        zoom_range: (low, high) of the factor on coordinates, drawn for each axis; z
            stands for (1 - z, 1 + z).
        channel_shift_range: added to all values, drawn in [-c, c].
        fill_mode: what lies outside: "constant", "nearest", "reflect" or "wrap".
        cval: the value of "constant".
        horizontal_flip: mirror left-right every second time.
        vertical_flip: mirror top-bottom every second time.
        rescale: factor on the values, after transforms and `preprocessing_function`.
        preprocessing_function: takes and returns one image, a float array of rank 3;
            called from several threads, after the transforms.
        data_format: "channels_last"; None takes Keras's setting, which must be that.
        validation_split: fraction of the images, the first ones, that belong to the
            subset "validation".
        interpolation_order: 0 (nearest), 1 (bilinear), or 2 to 5, SciPy's splines.
        dtype: "float32" or "float64", of the batches; None takes Keras's setting.

    Attributes:
        mean: of each channel, measured by `fit` or set by the caller.
        std: of each channel, likewise.
        zca_whitening_matrix: likewise.

    Raises:
        ValueError: an argument outside its range.
    """

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | Path | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> ArrayFlow:
        """Flow of images in memory, which stay in the dtype they have.

        Args:
            x: images `(n, height, width, channels)`, or a pair of them and a further
                input, or a list of such, with n rows each.
            y: targets, `(n, ...)`.
            batch_size: images in a batch.
            shuffle: a new order each epoch.
            sample_weight: `(n,)`, beside `y`.
            seed: of order and draws; None draws one, to be read from `flow.seed`.
            save_to_dir: folder to write the images to that batches are made of, each
                stretched to its own range, as PREFIX_INDEX_NUMBER.FORMAT.
            save_prefix: PREFIX.
            save_format: FORMAT, a suffix.
            ignore_class_split: let the subsets have different classes.
            subset: "training" or "validation", by `validation_split`; None for all.

        Raises:
            ValueError: arrays that do not fit each other, or an argument outside its
                range.
        """
        return ArrayFlow(
            self,
            x=x,
            y=y,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            saving=(save_to_dir, save_prefix, save_format),
            ignore_class_split=ignore_class_split,
            bounds=subset_bounds(subset, self.validation_split),
        )

    def flow_from_directory(
        self,
        directory: str | Path,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | Path | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        *,
        max_pixels: int = MAX_PIXELS,
    ) -> FileFlow:
        """Flow of `directory/<class>/**/<image>`.

        The files are those the legacy class takes (png, jpg, jpeg, bmp, ppm, tif,
        tiff), class after class, by folder, then by name.

        Args:
            directory: holds one folder per class.
            target_size: `(height, width)` the photos are stretched to.
            color_mode: "rgb", "rgba" or "grayscale".
            classes: folders to take, in the order of their labels; None takes all, by
                name.
            class_mode: targets: "categorical" (one-hot), "binary" or "sparse" (label
                numbers), "input" (the images), None (no targets).
            batch_size: images in a batch.
            shuffle: a new order each epoch.
            seed: of order and draws; None draws one, to be read from `flow.seed`.
            save_to_dir: see `flow`.
            save_prefix: see `flow`.
            save_format: see `flow`.
            follow_links: enter folders that are links.
            subset: "training" or "validation" of each class, by `validation_split`.
            interpolation: "nearest", "bilinear", "bicubic" or "lanczos". The one
                sampling is as fine as the finer of this and `interpolation_order`:
                by default bilinear. For orders above 1 the photo is first resized,
                by this alone.
            keep_aspect_ratio: cut the photo to the shape of `target_size` first.
            max_pixels: largest height * width that is decoded, a JPEG's after it was
                reduced towards `target_size`; a larger photo is left out.

        Raises:
            ValueError: no image, or an argument outside its range.
        """
        bounds = subset_bounds(subset, self.validation_split)
        flow = FileFlow(
            self,
            list_directory(directory, classes, class_mode, follow_links, bounds),
            target_size=target_size,
            color_mode=color_mode,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            saving=(save_to_dir, save_prefix, save_format),
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            subset=subset,
            max_pixels=max_pixels,
        )
        print(f"Found {flow.samples} images belonging to {flow.num_classes} classes.")
        return flow

    def flow_from_dataframe(
        self,
        dataframe: pd.DataFrame,
        directory: str | Path | None = None,
        x_col: str = "filename",
        y_col: str | list[str] = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | Path | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        *,
        max_pixels: int = MAX_PIXELS,
    ) -> FileFlow:
        """Flow of the photos that a table names.

        Args:
            dataframe: one row per photo.
            directory: what file names are relative to; None if they are whole paths.
            x_col: column of the file names.
            y_col: column of the targets: a class name; for "categorical" also a list
                of names (several ones in a row); for "raw" numbers, of one column or a
                list of columns; for "multi_output" a list of columns.
            weight_col: column of sample weights.
            target_size: see `flow_from_directory`.
            color_mode: see `flow_from_directory`.
            classes: names to take, in the order of their labels; None takes all, by
                name.
            class_mode: one of `flow_from_directory`, or "raw" (the values of `y_col`)
                or "multi_output" (one array per column).
            batch_size: images in a batch.
            shuffle: a new order each epoch.
            seed: of order and draws; None draws one, to be read from `flow.seed`.
            save_to_dir: see `flow`.
            save_prefix: see `flow`.
            save_format: see `flow`.
            subset: "training" or "validation", by `validation_split`.
            interpolation: see `flow_from_directory`.
            validate_filenames: leave out rows without an image, named in a warning.
            max_pixels: see `flow_from_directory`.

        Raises:
            ValueError: no image, a column that does not fit, or an argument outside its
                range.
        """
        bounds = subset_bounds(subset, self.validation_split)
        listing = list_dataframe(
            dataframe,
            directory,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            classes=classes,
            class_mode=class_mode,
            validate_filenames=validate_filenames,
            bounds=bounds,
        )
        flow = FileFlow(
            self,
            listing,
            target_size=target_size,
            color_mode=color_mode,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            saving=(save_to_dir, save_prefix, save_format),
            interpolation=interpolation,
            keep_aspect_ratio=False,
            subset=subset,
            max_pixels=max_pixels,
        )
        checked = "validated" if validate_filenames else "non-validated"
        classes = f" belonging to {flow.num_classes} classes" * bool(flow.num_classes)
        print(f"Found {flow.samples} {checked} image filenames{classes}.")
        return flow
