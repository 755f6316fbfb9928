"""Files of labels as people have them, made into what `ImageData.from_table` takes."""

import csv
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from kerasdl._checks import check_directory, check_one_of, first_few
from kerasdl._names import as_text, print_line
from kerasdl.tables import read_csv

from ._listing import list_images

ON_MISSING = ("raise", "skip")
_LABELS = ("label", "labels", "class", "classes", "category", "tag", "tags", "target")
_MARKS = {"0", "1", "0.0", "1.0", "true", "false"}
_BETWEEN = "\x1f"  # labels that were joined again: a sign of no label


@dataclass(frozen=True, eq=False)
class LabelFile:
    """Photos and labels, as arguments of `ImageData.from_table`, whose suffix is "".

    Attributes:
        table: a row for each photo that is there; names are relative to the folder.
        image: column of the names.
        label: column of the labels, or a column of 0 and 1 for each class.
        label_delimiter: between several labels of a photo; None for one label each.
        fingerprint: SHA-256 of the file, in hexadecimal.
    """

    table: pd.DataFrame
    image: str
    label: str | list[str]
    label_delimiter: str | None
    fingerprint: str


def read_labels(
    labels: str | Path,
    folder: str | Path,
    image_column: str | None = None,
    label_column: Sequence[str] | None = None,
    delimiter: str | None = None,
    suffix: str | None = None,
    on_missing: str = "raise",
) -> LabelFile:
    """Read a CSV file that names photos and their labels; say what was found in it.

    Fields stand between commas, semicolons or tabs. Labels are a text each; several in
    a text, as `delimiter` divides it, or as a list, "['cat', 'dog']"; or a column of 0
    and 1 for each class. Where each photo has one, it is a single label.

    Args:
        labels: the file, in UTF-8 with a header; relative to `folder` if it is not
            below the working directory.
        folder: of the photos.
        image_column: of names, which may begin with folders above the photos and have
            a suffix in other letters. None takes the first that names different photos
            in half of its rows; else the one that names most, if that is half of the
            photos and half of its names are there, or with "skip" any.
        label_column: one, or one for each class; None guesses.
        delimiter: between several labels, such as " " or "|".
        suffix: what the names lack, such as ".jpg"; None tries names as they are, and
            without a suffix.
        on_missing: "raise" or "skip": what becomes of rows whose photo is not there.

    Raises:
        ValueError: no such file or columns, photos that are missing, a name that
            several photos have, or an argument outside its range.
    """
    check_one_of("on_missing", on_missing, ON_MISSING)
    folder = check_directory("folder", folder)
    path = Path(labels)
    if not path.is_file() and (folder / path).is_file():
        path = folder / path
    rows = read_csv(
        "labels", path, dtype=str, keep_default_na=False, sep=_separator(path)
    )
    photos = _Photos(folder, list_images(folder)[0], suffix)
    if image_column is None:
        image_column, places = _guess_image(path, rows, photos, on_missing)
    else:
        _check_columns("image_column", [image_column], rows, path)
        places = photos.places(rows[image_column])
    label_column = list(label_column or _guess_label(path, rows, image_column))
    _check_columns("label_column", label_column, rows, path)
    fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
    rows = rows[[image_column, *label_column]].copy()
    _check_found(path, rows[image_column], places, folder, on_missing)
    rows[image_column] = places.str.get(0)
    rows = rows.dropna(subset=image_column)
    count = rows[image_column].nunique()  # each in one row or several
    label = label_column[0] if len(label_column) == 1 else label_column
    between = None
    if isinstance(label, str):
        rows[label], between = _as_text(rows[label], delimiter)
    several = " (several a photo)" if between else ""
    print_line(
        f"{as_text(path)}: {count} photos by {image_column!r}, labels by "
        f"{first_few(label_column)}{several}"
    )
    if left := photos.count - count:
        print_line(f"{left} photos of {as_text(folder)} are not in it: left out")
    return LabelFile(rows, image_column, label, between, fingerprint)


class _Photos:
    """The photos of a folder, found by names of several kinds."""

    def __init__(self, folder: Path, images: Sequence[str], suffix: str | None) -> None:
        self.count = len(images)
        self._above = folder.resolve().parts
        self._suffix = suffix or ""
        self._folders = {part for image in images for part in image.split("/")[:-1]}
        self._places: dict[str, list[str]] = {}
        kinds = [str, lambda image: PurePosixPath(image).name]
        if suffix is None:
            kinds += [_stem, lambda image: _stem(PurePosixPath(image).name)]
        kinds += [_low_suffix, lambda image: _low_suffix(PurePosixPath(image).name)]
        for kind in kinds:  # the first that has a name has it
            found: dict[str, list[str]] = {}
            for image in images:
                found.setdefault(kind(image), []).append(image)
            self._places = found | self._places

    def places(self, names: pd.Series) -> pd.Series:
        """The photos of names, relative to the folder: a list for each, mostly of one.

        Names may begin with folders that the photos are not in: those that all of them
        share, or those above the photos. Where there is a folder of that name, it is
        meant: photos elsewhere are others.
        """
        clean = [self._below(_clean(name)) for name in names]
        shared = tuple(os.path.commonprefix([parts[:-1] for parts in clean if parts]))
        found = [self._place(parts, shared) for parts in clean]
        return pd.Series(found, names.index, dtype=object)

    def _place(self, parts: tuple[str, ...], shared: tuple[str, ...]) -> list[str]:
        for left in range(len(parts)):
            lead = parts[:left]
            if lead == shared[:left] or lead == self._above[-left:]:
                name = f"{'/'.join(parts[left:])}{self._suffix}"
                found = self._places.get(name) or self._places.get(_low_suffix(name))
                meant = self._folders & set(lead)
                places = [p for p in found or () if meant <= set(p.split("/"))]
                if places:
                    return places
        return []

    def _below(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """A name without the whole path of the folder."""
        size = len(self._above)
        return parts[size:] if parts[:size] == self._above else parts


def _clean(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.strip().replace("\\", "/")).parts


def _stem(image: str) -> str:
    return str(PurePosixPath(image).with_suffix(""))


def _low_suffix(image: str) -> str:
    suffix = PurePosixPath(image).suffix
    return image.removesuffix(suffix) + suffix.lower()


def _separator(path: Path) -> str:
    """What stands between the fields of the header."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            header = next(csv.reader(file, delimiter="\x1f"), [""])[0]
    except (OSError, UnicodeDecodeError):
        return ","  # what is wrong with it, `read_csv` says
    return max(",;\t", key=header.count)


def _guess_image(
    path: Path, rows: pd.DataFrame, photos: _Photos, on_missing: str
) -> tuple[str, pd.Series]:
    """The column of the photos, and these."""
    most, found = 0, None
    for column in rows:
        places = photos.places(rows[column])
        # Different ones: a few labels, such as 0 and 1, may name photos too.
        named = rows[column][places.map(bool)].nunique()
        if 2 * named >= max(len(rows), 1):
            return column, places
        # Several rows a photo; or, if it is asked for, few that are there.
        several = 2 * named >= max(rows[column].nunique(), photos.count)
        if (several or on_missing == "skip") and named > most:
            most, found = named, (column, places)
    if found:
        return found
    raise ValueError(
        "`image_column` must name the column of the photos. No column names different "
        "photos in half of its rows, nor half of the photos by names of which half are "
        "there; with on_missing='skip' (--on-missing skip) one is enough. "
        f"Received: image_column=None for {as_text(path)}, which has "
        f"{list(rows.columns)}, and {photos.count} photos. Give it, and what the names "
        "lack by `suffix`."
    )


def _guess_label(path: Path, rows: pd.DataFrame, image: str) -> list[str]:
    others = [column for column in rows if column != image]
    usual = [column for column in others if column.lower() in _LABELS]
    if len(others) == 1 or len(usual) == 1:
        return usual or others
    marks = [c for c in others if set(rows[c].str.strip().str.lower()) <= _MARKS]
    if len(marks) > 1 and marks == others:
        return marks
    raise ValueError(
        "`label_column` must name the column of the labels, or those of the classes. "
        f"Received: label_column=None for {as_text(path)}, which has {others} beside "
        f"{image!r}. Give it."
    )


def _check_columns(
    name: str, columns: Sequence[str], rows: pd.DataFrame, path: Path
) -> None:
    for column in columns:
        if column not in rows:
            raise ValueError(
                f"`{name}` must be of the columns of {as_text(path)}, "
                f"{list(rows.columns)}. Received: {name}={column!r}"
            )


def _check_found(
    path: Path, names: pd.Series, places: pd.Series, folder: Path, on_missing: str
) -> None:
    """Raise ValueError unless each name is that of one photo, or may be of none."""
    several = places[places.map(len) > 1]
    if len(several):
        row = several.index[0]
        raise ValueError(
            "`labels` must name each photo so that one is meant. Received: "
            f"labels={as_text(path)!r} with {names[row]!r}, which "
            f"may be {first_few(several[row])}. Write the folder before the name, and "
            "the suffix behind it."
        )
    missing = names[~places.map(bool)].tolist()
    if missing and (on_missing == "raise" or len(missing) == len(names)):
        raise ValueError(
            "`labels` must name photos that are there. Received: "
            f"labels={as_text(path)!r}, without a photo below {as_text(folder)!r} for "
            f"{first_few(missing)}. Leave their rows out with on_missing='skip' "
            "(--on-missing skip)."
        )
    if missing:
        print_line(
            f"{len(missing)} rows without a photo left out: {first_few(missing)}"
        )


def _as_text(column: pd.Series, delimiter: str | None) -> tuple[pd.Series, str | None]:
    """Labels as texts, and what stands between those of one photo, if several do."""
    filled = column[column.str.strip() != ""]
    if delimiter is None and filled.str.match(r"\s*\[.*\]\s*$").all() and len(filled):
        words = column.map(_words_of_list)
    elif delimiter is not None:
        words = column.str.split(delimiter, regex=False)
    else:
        return column, None
    words = words.map(lambda found: [word.strip() for word in found if word.strip()])
    if (words.map(len) == 1).all():
        return words.map(lambda found: found[0]), None
    return words.map(_BETWEEN.join), _BETWEEN


def _words_of_list(text: str) -> list[str]:
    """The labels in "['cat', 'dog']", "[cat, dog]" or "['cat' 'dog']"."""
    words = re.findall(r"'([^']*)'|\"([^\"]*)\"|([^,'\"]+)", text.strip()[1:-1])
    return ["".join(found) for found in words]
