"""What recipes share: arguments, runs, steps, photos and files; loads quickly."""

from kerasdl._optional import require

from .adamw import adamw
from .arguments import (
    OUT_HELP,
    RecipeParser,
    positive_float,
    positive_int,
    recorded,
    share,
    writable_file,
    writable_page,
    writable_picture,
)
from .arrays import (
    add_array_arguments,
    fit_arrays,
    max_images,
    remember_images,
    settle_batch_norm,
    write_network,
)
from .boxes import (
    QUICK_BOXES,
    box_folder,
    checked_boxes,
    recorded_boxes,
)
from .command import COMMANDS, as_called, called_by_command, recipes
from .contest import (
    Contest,
    add_contest_arguments,
    check_sample,
    read_contest,
)
from .exit_codes import run_recipe
from .finished import read_predictions, write_outcome
from .learner_steps import LearnerSteps
from .load_run import load
from .messages import say_error
from .photos import (
    PhotoOptions,
    add_label_arguments,
    add_photo_arguments,
    check_backbone,
    name_of_data,
    photo_folder,
    read_photos,
    remember_photos,
)
from .run_data import class_folders, photo_reading, read_again, recorded_data
from .run_files import model_card, report_on, write_model, write_run_files
from .steps import Steps
from .training_run import PREDICT, STATE, training_run

__all__ = [
    "COMMANDS",
    "OUT_HELP",
    "PREDICT",
    "QUICK_BOXES",
    "STATE",
    "Contest",
    "LearnerSteps",
    "PhotoOptions",
    "RecipeParser",
    "Steps",
    "adamw",
    "add_array_arguments",
    "add_contest_arguments",
    "add_label_arguments",
    "add_photo_arguments",
    "as_called",
    "box_folder",
    "called_by_command",
    "check_backbone",
    "check_sample",
    "checked_boxes",
    "class_folders",
    "fit_arrays",
    "load",
    "max_images",
    "model_card",
    "name_of_data",
    "photo_folder",
    "photo_reading",
    "positive_float",
    "positive_int",
    "read_again",
    "read_contest",
    "read_photos",
    "read_predictions",
    "recipes",
    "recorded",
    "recorded_boxes",
    "recorded_data",
    "remember_images",
    "remember_photos",
    "report_on",
    "require",
    "run_recipe",
    "say_error",
    "settle_batch_norm",
    "share",
    "training_run",
    "writable_file",
    "writable_page",
    "writable_picture",
    "write_model",
    "write_network",
    "write_outcome",
    "write_run_files",
]
