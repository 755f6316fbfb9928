"""Tables: files written, read, or refused by name; and text to read."""

import csv
import lzma
import warnings
import zipfile
import zlib
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from kerasdl._atomic import write_text
from kerasdl._checks import first_few
from kerasdl._numbers import EXACT, number

# Of pandas, of decoding, and of files that are not compressed as their suffix says.
_UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    pd.errors.ParserWarning,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
_SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons"}
_HOW = (
    "Save it as a CSV file in UTF-8, with as many fields in each row as in its header "
    "(`pandas.read_csv(..., encoding=..., sep=...)` and `read_excel` read other files)."
)


def as_texts(table: pd.DataFrame) -> pd.DataFrame:
    """A table's cells as a person reads them: 1,234,567 of counts, 0.9230 of scores.

    Where all numbers of a column are whole, as counts among gaps are, they have no
    decimals. What is missing is "–".
    """
    return pd.DataFrame(
        {name: column_texts(table[name]) for name in table},
        table.index,
        dtype="object",
    )


def column_texts(values: pd.Series) -> list[str]:
    """The cells of one column of `as_texts`."""
    if pd.api.types.is_float_dtype(values):
        there = values.dropna()
        is_exact = (there.abs() < EXACT).all()  # of larger ones each is whole
        if is_exact and (there % 1 == 0).all() and (there.abs() > 1).any():
            values = values.astype("Int64")
    return [number(None if value is pd.NA else value) for value in values]


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table without its index as CSV in UTF-8, whole or not at all.

    Raises:
        ValueError: `path` is no place for a file.
    """
    write_text(path, csv_text(table))


def csv_text(table: pd.DataFrame) -> str:
    """A table without its index as the content of a CSV file."""
    text = table.to_csv(index=False)
    if "\r" in text:  # readers take it for the end of a row, unless it is quoted
        text = table.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    return text


def read_csv(name: str, file: str | Path | bytes, **options: Any) -> pd.DataFrame:
    """Read a CSV file in UTF-8 with a header by `pandas.read_csv`.

    An empty line of a file of one column is a row, and of any other none.

    Args:
        name: of the argument that `file` is, for errors.
        file: its path; or what is in it, as bytes.
        **options: of `pandas.read_csv`.

    Raises:
        ValueError: as by `read_header`.
    """
    separator = options.get("sep", ",")
    header = read_header(name, file, separator)
    if len(header) == 1:  # an empty line is a row, whose one value is missing
        lines = _lines(name, file)
        first = int((lines.str.strip() != "").argmax())
        if reason := wrong_separator(lines.iloc[first], separator):
            raise _no_csv(name, file, reason)
        options = {**options, "skip_blank_lines": False, "header": first}
    table = _read(name, file, **options)
    last = table.iloc[:, -1]
    if len(header) > 1 and (last.isna() | (last == "")).any():
        _check_lengths(name, file, len(header), separator, options.get("nrows"))
    return table


def read_header(name: str, file: str | Path | bytes, separator: str = ",") -> list[str]:
    """The columns of a CSV file as they stand there: pandas renames those without name.

    Args:
        name: of the argument that `file` is, for errors.
        file: its path; or what is in it, as bytes.
        separator: what stands between fields.

    Raises:
        ValueError: there is no such file, or it cannot be read so: another encoding,
            rows of other lengths, a NUL, nothing at all, a column twice.
    """
    text = {"dtype": str, "keep_default_na": False}
    first = _read(name, file, header=None, nrows=1, sep=separator, **text)
    header = pd.Index(first.iloc[0])
    twice = header[header.duplicated() & (header != "")]
    if len(twice):
        raise ValueError(
            f"`{name}` must have each column once in its header. Received: "
            f"{first_few(twice)} more than once. Rename or drop it."
        )
    return header.tolist()


def wrong_separator(header: str, separator: str = ",") -> str:
    """Why the line `header`, which is one column, is none; "" if it may be."""
    others = [name for mark, name in _SEPARATORS.items() if mark in header]
    if not others or header.startswith('"'):
        return ""
    own = _SEPARATORS.get(separator, repr(separator))
    return f"its header {header[:80]!r} has {others[0]}, where {own} must be"


def _check_lengths(
    name: str,
    file: str | Path | bytes,
    num_columns: int,
    separator: str,
    num_rows: int | None,
) -> None:
    """Raise ValueError if rows lack fields, for which pandas takes holes."""
    lines = _lines(name, file)
    csv.field_size_limit(max(csv.field_size_limit(), int(lines.str.len().sum())))
    reader = csv.reader(lines, delimiter=separator)
    rows = filter(lambda row: len(row) > 1 or row and row[0].strip(), reader)
    last = None if num_rows is None else num_rows + 1  # with the header
    short = [reader.line_num for row in islice(rows, last) if len(row) < num_columns]
    if short:
        reason = f"{num_columns} columns, and fewer fields in lines {first_few(short)}"
        raise _no_csv(name, file, reason)


def _lines(name: str, file: str | Path | bytes) -> pd.Series:
    """The lines of a CSV file, unpacked as pandas does it."""
    return _read(
        name,
        file,
        sep="\x1f",
        names=["line"],
        dtype=str,
        keep_default_na=False,
        quoting=csv.QUOTE_NONE,
        skip_blank_lines=False,
        on_bad_lines="skip",
    )["line"]


def _read(name: str, file: str | Path | bytes, **options: Any) -> pd.DataFrame:
    received = _received(name, file)
    source = BytesIO(file) if isinstance(file, bytes) else Path(file)
    if isinstance(source, Path) and not source.is_file():
        raise ValueError(f"`{name}` must be an existing CSV file. {received}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # As a whole: else each part of a long column may get a type of its own.
            options = {"low_memory": False, **options}
            table = pd.read_csv(source, index_col=False, **options)
    except _UNREADABLE as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        if isinstance(error, pd.errors.ParserWarning):  # its words are for callers
            reason = "more fields in rows than in the header"
        raise _no_csv(name, file, reason) from error
    columns = [table[name] for name in table.select_dtypes(["object", "string"])]
    for text in (table.columns.to_series(), *columns):
        if not text.astype(str).str.contains("\0", regex=False).any():
            continue
        raise ValueError(f"`{name}` must be text without NUL. {received}. {_HOW}")
    return table


def _no_csv(name: str, file: str | Path | bytes, reason: str) -> ValueError:
    return ValueError(
        f"`{name}` must be a CSV file in UTF-8. {_received(name, file)} ({reason}). "
        f"{_HOW}"
    )


def _received(name: str, file: str | Path | bytes) -> str:
    if isinstance(file, bytes):
        return f"Received: {len(file):,} bytes"
    return f"Received: {name}={str(file)!r}"


def read_parquet(name: str, path: str | Path) -> pd.DataFrame:
    """Read a Parquet file.

    Args:
        name: of the argument that `path` is, for errors.
        path: the file.

    Raises:
        ValueError: there is no such file, or it is no Parquet.
    """
    received = f"Received: {name}={str(path)!r}"
    if not Path(path).is_file():
        raise ValueError(f"`{name}` must be an existing Parquet file. {received}")
    try:
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"`{name}` must be a Parquet file. {received} ({error})"
        ) from error
