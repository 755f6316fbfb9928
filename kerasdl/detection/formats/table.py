"""A table of boxes: a row for each, or for a photo without one."""

from pathlib import Path
from typing import Any

import pandas as pd

from kerasdl._checks import check_directory
from kerasdl.data import split_role
from kerasdl.tables import read_csv

from ..annotations import BOX, Annotations
from ._photo_files import PhotoFiles, folder_role

_COLUMNS = ("image", "xmin", "ymin", "xmax", "ymax", "label")
_NOTHING = ["", "NA", "NaN", "nan"]  # of numbers: a class may be called so
_OTHER_NAMES = {"filename": "image", "class": "label"}


def read_table(table: str | Path | pd.DataFrame, folder: str | Path) -> Annotations:
    """Read columns image, xmin, ymin, xmax, ymax, label; and `split`.

    Without that the folders of the photos say it, if they are called train, valid, test
    or alike.

    `filename` and `class` are taken for image and label that are not there. Corners lie
    on edges counted from 0. A row without numbers says that its photo shows nothing.

    Args:
        table: a CSV file with a header, or a DataFrame.
        folder: holds the photos, which may be named by the ends of their paths.

    Raises:
        ValueError: a column is missing, a row has some of its numbers or no label for
            them, several photos may be meant, or one is in several splits.
    """
    rows: Any = table
    if not isinstance(table, pd.DataFrame):
        text = dict.fromkeys(("image", "filename", "label", "class"), str)
        nothing = dict.fromkeys(_COLUMNS[1:5], _NOTHING)
        rows = read_csv(
            "table", table, dtype=text, keep_default_na=False, na_values=nothing
        )
    others = {other: name for other, name in _OTHER_NAMES.items() if name not in rows}
    rows = rows.rename(columns=others)
    if missing := [name for name in _COLUMNS if name not in rows]:
        raise ValueError(
            f"`table` must have columns {', '.join(_COLUMNS)}. Received: "
            f"{', '.join(map(str, rows.columns))}, without {', '.join(missing)}"
        )
    root = check_directory("folder", folder)
    listed = PhotoFiles(root)
    corners = rows[list(_COLUMNS[1:5])].apply(pd.to_numeric, errors="coerce")
    empty = rows[list(_COLUMNS[1:5])].isna().all(axis=1)
    if (odd := corners.isna().any(axis=1) & ~empty).any():
        row = int(odd.to_numpy().argmax())
        raise ValueError(
            "`table` must have four numbers, or none, in each row. Received: row "
            f"{row} (from 0), of {rows['image'].iloc[row]!r}"
        )
    labels = rows["label"].astype(object).fillna("").astype(str).str.strip()
    if (odd := (labels == "") & ~empty).any():
        row = int(odd.to_numpy().argmax())
        raise ValueError(
            "`table` must have a label in each row with numbers. Received: none in row "
            f"{row} (from 0), of {rows['image'].iloc[row]!r}"
        )
    splits = [""] * len(rows)
    if "split" in rows:
        splits = [split_role(str(name)) or "" for name in rows["split"]]
    files = [
        listed.find(str(name), split=split)
        for name, split in zip(rows["image"], splits, strict=True)
    ]
    if "split" not in rows:
        splits = list(map(folder_role, files))
    photos: dict[str, dict[str, str]] = {}
    for file, split in zip(files, splits, strict=True):
        if (first := photos.setdefault(file, {"split": split})["split"]) != split:
            raise ValueError(
                "`table` must have each photo in one split. Received: "
                f"{first!r} and {split!r} for {file!r}"
            )
    boxes = [
        {"file": file, "label": label, **dict(zip(BOX, box, strict=True))}
        for file, label, box, is_empty in zip(
            files, labels, corners.to_numpy().tolist(), empty, strict=True
        )
        if not is_empty
    ]
    return Annotations.of(root, None, photos, boxes)
