"""Which photos to look at: those it got right and wrong, and is sure and unsure of."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasdl import plots
from kerasdl._checks import check_one_of, check_positive_int
from kerasdl._seeds import resolve_seed

from .report import ClassificationReport

_HELD = "\N{NO-BREAK SPACE}"  # no line ends inside a label
KINDS = (
    "hardest",
    "most_correct",
    "most_incorrect",
    "most_uncertain",
    "random_correct",
    "random_incorrect",
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gallery(
    report: ClassificationReport,
    kind: str,
    count: int = 12,
    class_name: str | None = None,
    *,
    seed: int | None = None,
) -> pd.DataFrame:
    """Choose photos of a report to look at.

    - "most_correct": right, the largest probability of the truth first;
    - "most_incorrect": wrong, the smallest probability of the truth first;
    - "hardest": right or wrong, the smallest probability of the truth first;
    - "most_uncertain": right or wrong, the smallest probability of the answer first;
    - "random_correct", "random_incorrect": drawn from the right or the wrong ones.

    With several classes a photo, one wrong class makes a photo wrong, and probabilities
    are those of the class that the model is most wrong about, or least sure of.

    Args:
        report: the answers.
        kind: one of the above.
        count: at most so many photos.
        class_name: only photos of this true class. With several classes a photo, only
            this class counts: right where it was found, wrong where it was missed or
            falsely alarmed.
        seed: of what is drawn; None draws one and prints it.

    Returns:
        A row for each photo, its index the row in the report: `file`; `true` and
        `predicted`, names joined by ", "; `probability`, of the answer;
        `probability_of_true`; `correct`.

    Raises:
        ValueError: an argument outside its range.

    Example:
        ```
        kd.interpret.gallery(report, "most_incorrect", 6)[["file", "predicted"]]
        ```
    """
    check_one_of("kind", kind, KINDS)
    check_positive_int("count", count)
    correct, of_truth, of_answer = report.correct, report.of_truth, report.of_answer
    considered = np.ones(len(correct), bool)
    if class_name is not None:
        check_one_of("class_name", class_name, report.class_names)
        column = report.class_names.index(class_name)
        truth, answers = report.truth[:, column], report.answers[:, column]
        considered = truth
        if report.multi_label:
            considered, correct = truth | answers, truth == answers
            given = report.probabilities[:, column]
            of_truth = np.where(truth, given, 1 - given)
            of_answer = np.where(answers, given, 1 - given)
    if kind.endswith("_incorrect"):
        considered = considered & ~correct
    elif kind.endswith("_correct"):
        considered = considered & correct
    rows = np.flatnonzero(considered)
    if kind.startswith("random"):
        rng = np.random.default_rng(resolve_seed(seed))
        rows = rng.permutation(rows)[:count]
    else:
        rank = {
            "most_correct": -of_truth,
            "most_incorrect": of_truth,
            "hardest": of_truth,
            "most_uncertain": of_answer,
        }[kind]
        rows = rows[np.argsort(rank[rows], kind="stable")[:count]]
    return pd.DataFrame(
        {
            "file": [report.files[row] for row in rows],
            "true": _joined_names(report, report.truth[rows]),
            "predicted": _joined_names(report, report.answers[rows]),
            "probability": of_answer[rows],
            "probability_of_true": of_truth[rows],
            "correct": correct[rows],
        },
        index=rows,
    )


def save_gallery(
    report: ClassificationReport,
    photos: pd.DataFrame,
    path: str | Path | None = None,
    columns: int = 4,
    headline: str = "",
) -> "Figure":
    """Draw photos that `gallery` chose, with file, answer and truth, as a PNG.

    Args:
        report: the answers, with images.
        photos: of `gallery`.
        path: a .png, .svg or .pdf; None shows the figure in a notebook.
        columns: photos in a row.
        headline: a line above all; the only one if there are no photos.

    Raises:
        ImageError: a file cannot be used.
        ValueError: the report has no images, or `columns` is below 1.

    Example:
        ```
        worst = kd.interpret.gallery(report, "hardest", 8)
        kd.interpret.save_gallery(report, worst, "mistakes.png", headline="the hardest")
        ```
    """
    titles = ["\n".join([report.files[r], *describe(report, r)]) for r in photos.index]
    images = [report.image(row) for row in photos.index]
    return plots.save_gallery(images, titles, path, columns, headline)


def headline(report: ClassificationReport, count: int) -> str:
    """What a picture of the `count` hardest photos shows."""
    wrong, total = int((~report.correct).sum()), len(report.files)
    return (
        f"the {min(count, total):,} hardest of {total:,} photos, of which {wrong:,} "
        "are mistakes"
    )


def describe(report: ClassificationReport, row: int) -> list[str]:
    """Lines that say what is right and wrong about a photo, with probabilities."""
    truth, answers = report.truth[row], report.answers[row]

    def named(chosen: np.ndarray) -> str:
        return ", ".join(
            f"{report.class_names[column].replace(' ', _HELD)}{_HELD}"
            f"{report.probabilities[row, column]:.2f}"
            for column in np.flatnonzero(chosen)
        )

    if report.correct[row]:
        return [f"✓ {named(answers) or 'nothing'}"]
    if not report.multi_label:
        return [f"✗ {named(answers)}", f"true: {named(truth)}"]
    lines = []
    for mark, chosen in (
        ("✗ missed: ", truth & ~answers),
        ("✗ false alarm: ", answers & ~truth),
        ("✓ ", truth & answers),
    ):
        lines += [mark + named(chosen)] if chosen.any() else []
    return lines


def _joined_names(report: ClassificationReport, chosen: np.ndarray) -> Sequence[str]:
    return [
        ", ".join(report.class_names[column] for column in np.flatnonzero(row))
        for row in chosen
    ]
