"""The files of a trained detector in its run's folder."""

from typing import TYPE_CHECKING

import keras
import pandas as pd

from kerasdl import plots
from kerasdl._atomic import write_text
from kerasdl._file_names import MODEL, MODEL_TFLITE, README
from kerasdl.artefacts import save_inference_model

from .data import BoxData
from .detector import TASK
from .files import save_tflite
from .report import DetectionReport
from .run_readme import run_readme

if TYPE_CHECKING:
    from kerasdl.runs import Run

FOUND = "valid_boxes.json"


def write_run_files(
    run: "Run",
    model: keras.Model,
    data: BoxData,
    report: DetectionReport,
    history: pd.DataFrame,
    title: str,
) -> None:
    """Write models, labels, card, curves, history, answers and the report.

    Args:
        run: at work; its manifest gains its task and the measures.
        model: of final answers.
        data: of its training.
        report: of the validation photos.
        history: a row for each epoch; may be empty.
        title: of card and report.
    """
    folder = run.path
    run.manifest |= {
        "task": TASK,
        "data": data.facts(),
        "image_size": list(data.image_size),
        "resize": data.resize,
        "threshold": report.best["threshold"],
    }
    run.record(**report.scores)
    save_inference_model(model, folder / MODEL)
    save_tflite(model, folder / MODEL_TFLITE)
    run.save_labels(data.class_names)
    report.found.to_json(folder / FOUND)
    card = run_readme(
        title,
        data.class_names,
        data.image_size,
        data.resize,
        scores=report.scores,
        photos=len(report.truth.photos),
        answers=model.output["scores"].shape[1],
        masks=model.output["masks"].shape[2:] if "masks" in model.output else None,
        found=FOUND,
    )
    write_text(folder / README, card)
    data.show_batch(folder / "train_batch.png")
    if len(history):
        history.to_csv(folder / "history.csv", index=False)
        plots.save_curves(history, folder / "curves.png")
    report.save(folder / "report.html", title, settings=run.manifest, history=history)
