"""The files of a trained classifier in its run's folder; heavy imports come late."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdl._file_names import MODEL, MODEL_TFLITE, README

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from kerasdl.classification import ClassificationReport, SplitPredictions
    from kerasdl.data import ImageData
    from kerasdl.runs import Run

_PHOTOS = 12  # in mistakes.png


def write_model(folder: Path, model: "keras.Model") -> tuple[Path, Path]:
    """Write `model.keras` and `model.tflite`; returns where they are."""
    from kerasdl import export

    paths = folder / MODEL, folder / MODEL_TFLITE
    export.save_inference_model(model, paths[0])
    export.save_tflite(model, paths[1])
    return paths


def report_on(
    found: "SplitPredictions", data: "ImageData", split: str
) -> "ClassificationReport":
    """The report on predictions of a split that are there already, with its images."""
    from kerasdl.classification import ClassificationReport
    from kerasdl.classification.predict_split import known_labels

    return ClassificationReport.from_predictions(
        found.probabilities,
        known_labels(found, "ClassificationReport"),
        data.class_names,
        found.files,
        lambda row: data.read(split, row),
        split=split,
    )


def write_run_files(
    run: "Run",
    *,
    model: "keras.Model | None",
    history: "pd.DataFrame",
    report: "ClassificationReport | None",
    title: str,
    card: str,
    mistakes: bool = True,
    data: "ImageData | None" = None,
) -> None:
    """Write the models, the card, curves, history, and the report with its pictures.

    Args:
        run: at work; its labels are written already.
        model: that is kept; None if `write_model` has written it.
        history: a row for each epoch, with its `stage`.
        report: what the model answers; None where no photo is held out, and then there
            is no page and no picture of it.
        title: of the report.
        card: as `model_card` makes it.
        mistakes: whether mistakes.png is drawn, of the hardest photos.
        data: photos that later ones are compared with; None compares with none.
    """
    from kerasdl import plots
    from kerasdl.models import load_model

    folder = run.path
    if model is not None:
        write_model(folder, model)
    plots.save_curves(history, folder / "curves.png")
    history.to_csv(folder / "history.csv", index=False)
    (folder / README).write_text(card, encoding="utf-8")
    if report is not None:
        explained = load_model(folder / MODEL) if model is None else model
        _write_report(run, explained, report, history, title=title, mistakes=mistakes)
    if data is not None:
        _note_likeness(run, data)


def _write_report(
    run: "Run",
    model: "keras.Model",
    report: "ClassificationReport",
    history: "pd.DataFrame",
    *,
    title: str,
    mistakes: bool,
) -> None:
    """Write the page, and the pictures of what is wrong."""
    from kerasdl import classification, plots

    folder = run.path
    if not report.multi_label:
        path = folder / "confusion.png"
        plots.save_confusion(report.confusion, report.class_names, path)
    if mistakes:
        classification.save_gallery(
            report,
            classification.gallery(report, "hardest", _PHOTOS),
            folder / "mistakes.png",
            headline=classification.headline(report, _PHOTOS),
        )
    page = folder / "report.html"
    classification.save_report(
        report, page, title, run.manifest, history, model=model, seed=run.seed
    )


def _note_likeness(run: "Run", data: "ImageData") -> None:
    """Put into the manifest what tells photos that are unlike the training photos."""
    from kerasdl.classification import Likeness
    from kerasdl.models import load_model

    # As it is saved: what computes the same may do it by other features.
    found = Likeness.measure(load_model(run.path / MODEL), data)
    if found is not None:
        run.manifest["likeness"] = found.to_json()
        run.save_manifest()


def model_card(
    run: "Run",
    data: "ImageData",
    model: "keras.Model",
    measured: Mapping[str, Any],
    title: str,
    facts: Mapping[str, str] | None = None,
) -> str:
    """The README of a run: how its model was made, how good it is, how it is used.

    Args:
        run: at work.
        data: the images.
        model: that is saved.
        measured: of it; the accuracies are what has the name of a split.
        title: its headline.
        facts: more of them, by name.
    """
    from kerasdl import export

    counts = [f"{len(data.files(split)):,} {split}" for split in data.splits]
    if {"valid", "test"} <= {*data.splits} and _are_one(data, "test", "valid"):
        counts[-2:] = [f"{len(data.files('test')):,} test, which are valid too"]
    made = run.manifest.get("reading", run.manifest["arguments"])
    source = made.get("data") or run.manifest["data"]["dataset"]
    accuracies = [
        f"{measured[split]:.4f} {split}" for split in data.splits if split in measured
    ]
    own = {
        "network": f"{model.name}, {model.count_params():,} parameters",
        "images": f"{', '.join(counts)}; {source}",
        "accuracy": ", ".join(accuracies) or "not measured: all photos train",
        "seed": str(run.seed),
    }
    return export.run_readme(
        data.class_names,
        data.image_size,
        data.resize,
        title,
        multi_label=data.label_mode == "multi_label",
        facts={**own, **(facts or {})},
    )


def _are_one(data: "ImageData", split: str, other: str) -> bool:
    """Whether the pictures of two splits are the same files, or the same memory."""
    import numpy as np

    ours, theirs = data.pictures(split), data.pictures(other)
    if isinstance(ours[0], np.ndarray):
        return len(ours) == len(theirs) and np.may_share_memory(ours[0], theirs[0])
    return ours == theirs
