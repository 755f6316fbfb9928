"""What leaves: plain `.keras` and `.tflite` files, and how to use them."""

from .keras_file import save_inference_model
from .run_readme import run_readme
from .tflite import save_tflite
