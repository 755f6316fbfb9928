"""One HTML page that shows how well a classifier does, and where it fails."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from kerasdl import page, plots
from kerasdl._checks import check_writable
from kerasdl._seeds import resolve_seed

from ._class_scores import scored_classes
from .confusion import confused_part, most_confused, similarity_order
from .curves import save_calibration, save_precision_recall, save_roc
from .gallery import describe, gallery
from .grad_cam import heats_of
from .report import ClassificationReport

_MATRIX = 15  # classes whose confusion matrix has figures that fit on a page
_PAIRS = 20
_PHOTOS = 12  # in a gallery
_BATCH = 4  # photos of which heat is computed at once: a tape holds all their maps
_WORST = 12  # of more classes, those with the lowest F1 have galleries
_SCORES: dict[str, str] = dict.fromkeys(
    ("precision", "recall", "F1", "average_precision", "ROC_AUC"), ".3f"
)
_MARKS = {"✓": "right", "✗": "wrong"}  # of lines of `describe`: class of the style


def save_report(
    report: ClassificationReport,
    path: str | Path,
    title: str = "Classification report",
    settings: Mapping[str, Any] | None = None,
    history: "pd.DataFrame | Sequence[Mapping[str, Any]] | None" = None,
    model: keras.Model | None = None,
    *,
    seed: int | None = None,
) -> None:
    """Write a report as one HTML file: numbers, confusion, curves, photos, settings.

    The file needs nothing besides: pictures are in it, photos at 224 pixels, at most
    120 of them. A click shows one large, with where the `model` sees the answer laid
    over it (Grad-CAM); of several answers, the most probable. A script finds classes by
    name where there are more than 20, and shows the 20 with the lowest F1 until then.
    What is drawn by class fits 2 classes as well as hundreds: of more than 15, the
    confusion matrix is drawn of those with the most mistakes, and of all without
    figures; of more than 12, photos are shown of the 12 with the lowest F1.

    Args:
        report: the answers.
        path: the `.html` file to write.
        title: its headline.
        settings: names and values, such as a run's manifest; of mappings in it the
            names are joined (of more than 60 values three stand for all), lists of
            mappings become tables.
        history: a row for each epoch, as `plots.save_curves` takes it; `stage` may be
            missing.
        model: that saw the images of the report, with its classes in their order.
            None shows no Grad-CAM, as does a model without feature maps, one that looks
            at several views of a photo, or one too large for the memory that is left.
        seed: of the photos drawn at random; None draws one and prints it.

    Raises:
        ImageError: a photo to show cannot be used.
        ValueError: `path` is in no folder, or `seed` is not in its range.

    Example:
        ```
        kd.interpret.save_report(report, "report.html", seed=1)
        ```
    """
    path = Path(path)
    check_writable("path", path)
    seed = resolve_seed(seed)
    history = pd.DataFrame() if history is None else pd.DataFrame(history)
    sections = [("Result", _headline(report))]
    if not report.multi_label:
        sections.append(("Confusion", _confusion(report)))
    sections += [
        ("Classes", _classes(report)),
        ("Photos", _photos(report, model, seed)),
        ("Curves", _curves(report)),
    ]
    sections += page.closing(history, settings)
    where = f" of the split {report.split}" if report.split else ""
    intro = page.note(
        f"{len(report.files):,} photos{where}, {len(report.class_names)} classes"
        + (", several a photo" if report.multi_label else "")
    )
    page.save_page(path, title, intro, sections)


def _headline(report: ClassificationReport) -> str:
    found = report.summary
    values = {
        "All labels right" if report.multi_label else "Accuracy": (
            f"{found['accuracy']:.1%}",
            f"95% interval: {found['accuracy_low']:.1%} to "
            f"{found['accuracy_high']:.1%}",
        ),
        "Mistakes": (f"{found['mistakes']:,}", f"in {found['photos']:,} photos"),
    }
    for name, label in (
        ("label_accuracy", "Single labels right"),
        ("top_5_accuracy", "Among the best five"),
    ):
        if name in found:
            values[label] = (f"{found[name]:.1%}", "")
    values["F1"] = (f"{found['macro_f1']:.3f}", "mean of the classes")
    values["Log loss"] = (f"{found['log_loss']:.4f}", "0 is perfect")
    values["Calibration error"] = (
        f"{found['calibration_error']:.3f}",
        "0: as often right as it claims",
    )
    body = page.numbers(values)
    if report.left_out:
        names = ", ".join(report.left_out[:_PAIRS])
        more = len(report.left_out) - _PAIRS
        body += page.note(
            f"Left out, as they are damaged: {names}"
            + (f" and {more} more" if more > 0 else "")
        )
    return body


def _confusion(report: ClassificationReport) -> str:
    matrix, names = report.confusion.to_numpy(), report.class_names
    axes = "Rows are the truth, columns the answers."
    if len(names) <= _MATRIX:
        return _matrix(matrix, names, axes) + _pairs(report)
    part = _matrix(
        *confused_part(matrix, names, _MATRIX - 1),
        f"The {_MATRIX - 1} classes of the most frequent mistakes, all others taken "
        f"together. {axes}",
    )
    order = similarity_order(matrix)
    whole = _matrix(
        matrix[np.ix_(order, order)],
        [names[index] for index in order],
        f"All {len(names)} classes, beside those they are taken for: groups of alike "
        f"classes are blocks on the diagonal. {axes}",
    )
    return part + _pairs(report) + whole


def _matrix(matrix: np.ndarray, names: Sequence[str], caption: str) -> str:
    alt = f"Confusion matrix of {len(names)} classes; the mistakes are in the table"
    return page.chart(plots.save_confusion, matrix, names, alt=alt, caption=caption)


def _pairs(report: ClassificationReport) -> str:
    pairs = most_confused(report.confusion, report.class_names)
    if pairs.empty:
        return page.note("No mistakes.")
    shown = pairs[:_PAIRS].rename(columns={"share": "of_the_true_class"})
    which = f"{_PAIRS} of {len(pairs)} kinds" if len(pairs) > _PAIRS else "All kinds"
    return page.table(
        shown.set_index("true"),
        f"{which} of mistakes, the most frequent first",
        {"of_the_true_class": ".1%"},
    )


def _classes(report: ClassificationReport) -> str:
    table, order = report.per_class, "in the order of the labels"
    if len(table) > _MATRIX:
        table, order = table.sort_values("f1", kind="stable"), "the lowest F1 first"
    table = table.rename(columns={"f1": "F1", "roc_auc": "ROC_AUC"})
    averages = report.averages.rename(columns={"f1": "F1"}).rename_axis("average")
    each = page.table(table, f"Each class, {order}", _SCORES, search="class")
    return each + page.table(averages, "All classes", _SCORES)


def _photos(report: ClassificationReport, model: keras.Model | None, seed: int) -> str:
    """The galleries: of all classes, then of each or of the worst."""
    mistakes = report.summary["mistakes"]
    kinds = {
        "most_incorrect": "Most incorrect: the truth had the lowest probability",
        "random_incorrect": f"Incorrect, drawn at random (seed {seed})",
        "most_uncertain": "Most uncertain: the answer had the lowest probability",
        "random_correct": f"Correct, drawn at random (seed {seed})",
    }
    if mistakes <= _PHOTOS:
        del kinds["random_incorrect"]  # the first gallery shows them all
    names = report.class_names
    if len(names) > _WORST:
        names = (
            report.per_class["f1"].dropna().sort_values(kind="stable").index[:_WORST]
        )
    count = 6 if len(names) <= 4 else 3
    of_all = {
        heading: gallery(report, kind, _PHOTOS, seed=seed)
        for kind, heading in kinds.items()
    }
    of_classes = {
        f"{name}: {kind.replace('_', ' ')}": gallery(report, kind, count, name)
        for name in names
        for kind in ("most_correct", "most_incorrect")
    }
    photos = _pictures(report, model, [*of_all.values(), *of_classes.values()])
    whole = [_gallery(head, found, photos) for head, found in of_all.items()]
    halves = [_gallery(head, found, photos) for head, found in of_classes.items()]
    pairs = zip(halves[::2], halves[1::2], strict=True)
    return "".join([*whole, *(page.pair(*both) for both in pairs)])


def _pictures(
    report: ClassificationReport,
    model: keras.Model | None,
    galleries: Sequence[pd.DataFrame],
) -> dict[int, str]:
    """Each photo of the galleries as it stands on the page, by its row."""
    shown: dict[int, str] = {}
    if report.images is None:
        return shown
    rows = sorted({row for photos in galleries for row in photos.index})
    for first in range(0, len(rows), _BATCH):
        batch = rows[first : first + _BATCH]
        images = [report.image(row) for row in batch]
        heats = _heats(report, model, batch, images)
        for row, image, heat in zip(batch, images, heats, strict=True):
            lines = [(_MARKS.get(line[0], ""), line) for line in describe(report, row)]
            file = report.files[row]
            shown[row] = page.picture(image, file, lines, f"photo {file}", heat)
    return shown


def _heats(
    report: ClassificationReport,
    model: keras.Model | None,
    rows: Sequence[int],
    images: Sequence[np.ndarray],
) -> Sequence[tuple[str, np.ndarray] | None]:
    """The answer about each photo and where it is seen, if there is one to be told."""
    if model is not None:
        with suppress(ValueError, tf.errors.ResourceExhaustedError):
            pixels = np.stack(images).astype("float32")
            # The page's answers: those of several views are not always the model's.
            given = np.where(report.answers[rows], report.probabilities[rows], -1)
            best = given.argmax(axis=1)
            return [
                (report.class_names[column], heat) if values[column] >= 0 else None
                for values, column, heat in zip(
                    given, best, heats_of(model, pixels, None, best), strict=True
                )
            ]
    return [None] * len(rows)


def _gallery(heading: str, photos: pd.DataFrame, shown: Mapping[int, str]) -> str:
    head = page.heading(heading)
    if photos.empty:
        return head + page.note("None.")
    if not shown:
        table = photos.set_index("file").drop(columns="correct")
        formats = {"probability": ".2f", "probability_of_true": ".2f"}
        return head + page.table(table, heading, formats)
    return head + page.gallery([shown[row] for row in photos.index])


def _curves(report: ClassificationReport) -> str:
    parts = []
    if len(scored_classes(report.truth)):
        parts += [
            page.chart(
                save_precision_recall,
                report,
                alt="Precision over recall; the areas are in the table of classes",
                caption="Precision and recall as the threshold of a class varies.",
            ),
            page.chart(
                save_roc,
                report,
                alt="ROC curves; the areas are in the table of classes",
                caption="True and false positive rates as the threshold varies.",
            ),
        ]
    error = report.summary["calibration_error"]
    parts.append(
        page.chart(
            save_calibration,
            report,
            alt=f"Reliability diagram; the expected calibration error is {error:.3f}",
            caption="Points under the diagonal: it is surer than it is right.",
        )
    )
    return page.row(parts)
