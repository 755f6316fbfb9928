"""What recipes share: arguments, data, steps and the files of a run; loads quickly."""

from .arguments import (
    add_run_arguments,
    parse_run_arguments,
    positive_float,
    positive_int,
    recorded,
    writable_file,
)
from .arrays import (
    add_array_arguments,
    fit_arrays,
    max_images,
    remember_images,
    settle_batch_norm,
    write_network,
)
from .contest import check_download, check_sample, check_test_photos
from .exit_codes import run_recipe
from .looks import save_looks
from .model_card import model_card
from .photos import (
    add_photo_arguments,
    check_image_sizes,
    check_photos,
    clear_cache,
    fewer,
    max_pixels,
    print_cache_size,
    read_photos,
    remember_photos,
)
from .run_data import class_folders, photo_reading, read_again, recorded_data
from .steps import Steps
