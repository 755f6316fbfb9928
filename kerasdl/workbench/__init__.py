"""What recipes share: arguments, runs, steps, photos and files; loads quickly."""

from kerasdl._optional import require

from .adamw import adamw
from .arguments import (
    RecipeParser,
    positive_float,
    positive_int,
    recorded,
    share,
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
from .boxes import (
    QUICK_BOXES,
    box_folder,
    checked_boxes,
    recorded_boxes,
)
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
from .photos import (
    PhotoOptions,
    add_photo_arguments,
    check_backbone,
    photo_folder,
    read_photos,
    remember_photos,
)
from .run_data import class_folders, photo_reading, read_again, recorded_data
from .run_files import model_card, report_on, write_model, write_run_files
from .steps import Steps
from .training_run import PREDICT, STATE, training_run
