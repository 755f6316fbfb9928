"""Photos in: folders, splits, augmentation and tf.data."""

from kerasdl.batches import (
    Batch,
    BatchStream,
    epoch_length,
    epoch_order,
    share_of,
    shared_stream,
    shares,
    stratified_folds,
    stratified_split,
    with_shares,
)

from ._contents import Contents
from ._decode import (
    MAX_PIXELS,
    ImageError,
    decode_image,
    encoded_size,
    image_size,
    read_image,
)
from ._folder_splits import split_folders
from ._listing import list_classes, list_images
from ._split_names import split_role
from ._warp import RESIZE_MODES, averaged, placement, sampled, warp_image
from .arrays import cifar10, fashion_mnist, mnist
from .augment import Augment, chapter, side_on, top_down
from .check_image_data import check_image_data
from .cifar10_folders import cifar10_to_folders
from .dataset_photos import DatasetPhotos
from .generator import ImageDataGenerator
from .image_data import ImageData
from .image_folder import PhotoBatches, image_folder
from .inspect import ImageCheck, check_images
from .label_file import LabelFile, read_labels
from .photo_settings import PhotoSettings
from .photo_statistics import PhotoStatistics, photo_statistics
from .resize_cache import resize_photos
from .samples import write_sample, write_scenes
from .subset import make_subset
from .tfds_folder import tfds_folder

__all__ = [
    "Augment",
    "Batch",
    "BatchStream",
    "Contents",
    "DatasetPhotos",
    "ImageCheck",
    "ImageData",
    "ImageDataGenerator",
    "ImageError",
    "LabelFile",
    "MAX_PIXELS",
    "PhotoBatches",
    "PhotoSettings",
    "PhotoStatistics",
    "RESIZE_MODES",
    "averaged",
    "chapter",
    "check_image_data",
    "check_images",
    "cifar10",
    "cifar10_to_folders",
    "decode_image",
    "encoded_size",
    "epoch_length",
    "epoch_order",
    "fashion_mnist",
    "image_folder",
    "image_size",
    "list_classes",
    "list_images",
    "make_subset",
    "mnist",
    "photo_statistics",
    "placement",
    "read_image",
    "read_labels",
    "resize_photos",
    "sampled",
    "share_of",
    "shared_stream",
    "shares",
    "side_on",
    "split_folders",
    "split_role",
    "stratified_folds",
    "stratified_split",
    "tfds_folder",
    "top_down",
    "warp_image",
    "with_shares",
    "write_sample",
    "write_scenes",
]
