"""A finished run of any task, to ask; heavy imports come late."""

from pathlib import Path
from typing import TYPE_CHECKING

from kerasdl._run_info import IMAGE_CLASSIFICATION

if TYPE_CHECKING:
    from kerasdl.classification import Predictor
    from kerasdl.detection import Detector
    from kerasdl.tabular import Predictor as TablePredictor
    from kerasdl.text import Predictor as TextPredictor
    from kerasdl.text import Translator


def load(
    run: str | Path,
) -> "Predictor | Detector | TablePredictor | TextPredictor | Translator":
    """Load what answers of a finished run, whatever it is of.

    Args:
        run: the folder, or the `model.keras` in it.

    Returns:
        Of photos with classes a `kerasdl.Predictor`; of photos with boxes a
        `detection.Detector`; of a table a `tabular.Predictor`; of texts a
        `text.Predictor`, of a translation a `text.Translator`. Each has `predict`.

    Raises:
        ValueError: it is no finished run, or one of another task.

    Example:
        ```
        kd.load("saved_models/cats_dogs").predict("photo.jpg")
        ```
    """
    import kerasdl
    from kerasdl.runs import read_run

    loaders = {
        IMAGE_CLASSIFICATION: lambda: kerasdl.classification.Predictor,
        "detection": lambda: kerasdl.detection.Detector,
        "tabular": lambda: kerasdl.tabular.Predictor,
        "text_classification": lambda: kerasdl.text.Predictor,
        "translation": lambda: kerasdl.text.Translator,
    }
    return read_run(run).of_task(loaders)().load(run)
