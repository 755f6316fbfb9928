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
from ._listing import list_images
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
from .photo_settings import PhotoSettings
from .photo_statistics import PhotoStatistics, photo_statistics
from .resize_cache import resize_photos
from .samples import write_sample, write_scenes
from .subset import make_subset
from .tfds_folder import tfds_folder
