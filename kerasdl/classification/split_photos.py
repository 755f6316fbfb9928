"""The photos of a split, at a model's size, in the order of their files."""

import keras
import numpy as np
import tensorflow as tf

from kerasdl.data import Augment, DatasetPhotos, ImageData, ImageError, PhotoBatches
from kerasdl.models.picture_shape import picture_shape

from .outputs import num_outputs

SplitPhotos = ImageData | DatasetPhotos  # alike in what is asked of them


def photos_for(model: keras.Model, data: SplitPhotos | tf.data.Dataset) -> SplitPhotos:
    """`data`, or what a dataset holds; its pictures must have the model's size."""
    if not isinstance(data, tf.data.Dataset):
        check_data("data", data)
        return data
    size = picture_shape(model)[1:3]
    photos = DatasetPhotos(data, max(2, num_outputs(model)))
    if size not in (photos.image_size, (None, None)):
        raise ValueError(
            "`data` must have images of the model's size. Received: images of "
            f"{photos.image_size} for {size}"
        )
    return photos


def check_data(name: str, data: SplitPhotos) -> None:
    """Raise ValueError unless the argument `name` has splits of photos."""
    if not isinstance(data, (ImageData, DatasetPhotos)):
        raise ValueError(
            f"`{name}` must be an ImageData. Received: {name} of type "
            f"{type(data).__name__}. `ImageData.from_arrays` makes one of arrays."
        )


def photos_in_order(
    data: SplitPhotos, split: str, augment: str | Augment | None = None, seed: int = 0
) -> PhotoBatches:
    """Photos of `split` in file order; their labels are their places in it."""
    if isinstance(data, DatasetPhotos):
        return data.in_order(augment, seed)
    pictures = data.pictures(split)
    return PhotoBatches(
        pictures,
        np.arange(len(pictures)),
        data.image_size,
        data.batch_size,
        data.resize,
        augment=augment,
        on_error=data.on_error,
        max_pixels=data.max_pixels,
        seed=seed,
    )


def read_rows(
    photos: PhotoBatches, epoch: int, index: int
) -> tuple[np.ndarray, np.ndarray]:
    """Places and pixels, float32, of the photos of a batch that are not damaged."""
    try:
        images, rows = photos.batch(epoch, index)
    except ImageError:
        if photos.on_error == "raise":
            raise
        # A batch of nothing but damaged photos, each of which was named.
        images, rows = np.empty((0, *photos.image_size, 3)), np.empty(0, int)
    return rows, images.astype("float32")
