"""The sections of a report in the cell of a notebook."""

from kerasdl import plots
from kerasdl._notebook import notebook, show

from .confusion import confused_part
from .curves import save_calibration
from .gallery import gallery, headline, save_gallery
from .report import ClassificationReport

_MATRIX = 15  # classes whose confusion matrix has figures that can be read
_CLASSES = 20  # rows of the table
_PHOTOS = 12


def show_report(report: ClassificationReport) -> None:
    """Show what `save_report` writes first: numbers, confusion, classes, photos."""
    classes, order = report.per_class, "of each class"
    if len(classes) > _CLASSES:
        classes = classes.sort_values("f1", kind="stable")[:_CLASSES]
        order = f"of the {_CLASSES} classes of the lowest F1"
    table = classes.rename_axis(f"scores {order}").round(3)
    if notebook() is None:
        show(report, table.to_string())
        return
    show(report)
    if not report.multi_label:
        matrix, names = report.confusion.to_numpy(), report.class_names
        if len(names) > _MATRIX:
            matrix, names = confused_part(matrix, names, _MATRIX - 1)
        plots.save_confusion(matrix, names)
    show(table)
    if report.images is not None:
        hardest = gallery(report, "hardest", _PHOTOS)
        save_gallery(report, hardest, headline=headline(report, _PHOTOS))
    save_calibration(report)
