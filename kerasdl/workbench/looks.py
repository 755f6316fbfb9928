"""Pictures of what a recipe's model gets wrong, beside its report."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerasdl.interpret import ClassificationReport

_PHOTOS = 12  # in mistakes.png


def save_looks(report: "ClassificationReport", folder: Path) -> None:
    """Write mistakes.png, the hardest photos, and confusion.png of one label a photo.

    Args:
        report: the answers, with images.
        folder: of the run.
    """
    from kerasdl import interpret, plots

    if not report.multi_label:
        path = folder / "confusion.png"
        plots.save_confusion(report.confusion, report.class_names, path)
    wrong = (~report.correct).sum()
    interpret.save_gallery(
        report,
        interpret.gallery(report, "hardest", _PHOTOS),
        folder / "mistakes.png",
        headline=f"mistakes: {wrong} of {len(report.files)} photos; the hardest first",
    )
