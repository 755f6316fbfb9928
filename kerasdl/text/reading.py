"""Files of texts read, or refused by name: the encoding told, rows counted."""

import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from kerasdl._checks import check_directory, first_few
from kerasdl.tables import wrong_separator

from .columns import find_text_column

# Tried on what is not in the encoding that was told, to name one that is.
_OTHERS = ("utf-8", "gb18030", "big5", "utf-16")
_IN_QUOTES = re.compile(r'"(?:[^"]|"")*"')


def read_table(
    name: str, file: str | Path | bytes, encoding: str = "utf-8"
) -> pd.DataFrame:
    """Read a CSV or TSV file, each value as the text that stands there.

    Of tabs each line is a row, and a quote a letter, but for those around a whole
    field; where that does not fit the header, quoted fields may hold tabs and lines.

    Args:
        name: of the argument that `file` is, for errors.
        file: a path, of which .tsv has tabs, and .gz is unpacked; or the bytes of CSV.
        encoding: of the text; a byte order mark is passed over.

    Raises:
        ValueError: there is no such file; it is in another encoding, which is named if
            it is GB18030 or another common one; or rows are damaged, or lack fields:
            their lines are named.
    """
    text = read_text(name, file, encoding)
    is_tabs = not isinstance(file, bytes) and _suffix(file) in (".tsv", ".tab")
    try:
        return _of_tabs(text) if is_tabs else _parsed(text)
    except ValueError as error:
        raise ValueError(
            f"`{name}` must be a CSV or TSV file with a header and as many fields in "
            f"each row. {_received(name, file)} ({str(error).strip()})"
        ) from error


def read_lines(
    name: str, file: str | Path | bytes, encoding: str = "utf-8"
) -> pd.DataFrame:
    """Read a file of one text a line into a column `text`; empty lines are kept.

    Args:
        name: of the argument that `file` is, for errors.
        file: a path, of which .gz is unpacked; or bytes.
        encoding: as of `read_table`.

    Raises:
        ValueError: as by `read_table`.
    """
    lines = read_text(name, file, encoding).replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return pd.DataFrame({"text": pd.Series(lines, dtype=object)})


def read_rows(
    name: str,
    file: str | Path,
    encoding: str = "utf-8",
    column: str | None = None,
    usual: str | None = None,
) -> tuple[pd.DataFrame, str]:
    """Read texts from a .csv, .tsv or .txt file, with or without .gz.

    Args:
        name: of the argument that `file` is, for errors.
        file: the path.
        encoding: as of `read_table`.
        column: of the texts; None finds and prints it, see `columns.find_text_column`.
        usual: see `columns.find_text_column`.

    Returns:
        The rows, and the name of the column of texts.

    Raises:
        ValueError: as by `read_table`, or there is no such column.
    """
    if _suffix(file) == ".txt":
        if column is not None:
            raise ValueError(
                "`text_column` must be of a .csv or .tsv file. Received: "
                f"text_column={column!r} for {str(file)!r}"
            )
        return read_lines(name, file, encoding), "text"
    table = read_table(name, file, encoding)
    found = find_text_column(table, column, usual)
    if column is None:
        print(f"texts: column {found!r}")
    return table, found


def given_texts(
    texts: Iterable[str] | pd.DataFrame | str | Path,
    encoding: str = "utf-8",
    column: str | None = None,
    usual: str | None = None,
) -> tuple[pd.Series, str]:
    """Texts as a person gives them: in a list, a frame or a file.

    Args:
        texts: strings; or a frame, or a .csv, .tsv or .txt file of them.
        encoding: of a file.
        column: of a table; None finds it, see `columns.find_text_column`.
        usual: see there.

    Returns:
        The texts, "" where there is none, and the name of their column; "text" of
        those in a list.

    Raises:
        ValueError: a file cannot be read so, there is no column of texts, or what is in
            a list is no text.
    """
    rows: Any
    if isinstance(texts, (str, Path)):
        rows, column = read_rows("texts", texts, encoding, column, usual)
    elif isinstance(texts, pd.DataFrame):
        rows, column = texts, find_text_column(texts, column, usual)
    else:
        column = "text"
        rows = pd.DataFrame({column: pd.Series(list_texts(texts), dtype=object)})
    return filled(rows[column]), column


def filled(column: pd.Series) -> pd.Series:
    """A column of any type as texts, "" where there is none."""
    return column.astype(object).where(column.notna(), "").astype(str)


def list_texts(texts: Iterable[str]) -> list[str]:
    """`texts` as a list; a generator is read to its end.

    Raises:
        ValueError: it is one string, no iterable of strings, or one of them has half of
            a surrogate pair, which no encoding knows.
    """
    if not isinstance(texts, Iterable) or isinstance(texts, (str, bytes, Mapping)):
        raise ValueError(
            f"`texts` must be strings in a list. Received: texts={texts!r:.200}"
        )
    given = list(texts)
    if wrong := [text for text in given if not _is_text(text)]:
        raise ValueError(
            "`texts` must be strings in a list, of whole characters. Received: "
            f"{wrong[0]!r:.200} among them"
        )
    return given


def _is_text(text: Any) -> bool:
    try:
        return isinstance(text, str) and text.encode() is not None
    except UnicodeEncodeError:
        return False


def read_text(name: str, file: str | Path | bytes, encoding: str = "utf-8") -> str:
    """The content of a file as text.

    Args:
        name: of the argument that `file` is, for errors.
        file: a path, of which .gz is unpacked; or bytes.
        encoding: as of `read_table`.

    Raises:
        ValueError: there is no such file, or it is in another encoding.
    """
    received = _received(name, file)
    content = file if isinstance(file, bytes) else _content(name, Path(file))
    try:
        is_utf8 = "".encode(encoding) == b"" and encoding.lower() in ("utf-8", "utf8")
    except (LookupError, UnicodeError) as error:  # "undefined" is one that fails
        raise ValueError(
            "`encoding` must be one that Python knows, such as 'utf-8' or 'gb18030'. "
            f"Received: encoding={encoding!r}"
        ) from error
    try:
        text = content.decode("utf-8-sig" if is_utf8 else encoding)
    except UnicodeError as error:
        raise ValueError(
            f"`{name}` must be text in {encoding}. {received} ({error}). "
            f"{_advice(content, encoding)}"
        ) from error
    if "\0" in text:
        raise ValueError(
            f"`{name}` must be text without NUL. {received}. {_advice(content, '')}"
        )
    return text.removeprefix("\ufeff")


def read_folders(
    directory: str | Path, encoding: str = "utf-8"
) -> tuple[pd.DataFrame, list[str]]:
    """Read `directory/<class>/*.txt`, a text a file.

    Args:
        directory: the folder.
        encoding: as of `read_table`.

    Returns:
        A table of `text`, `label` and `file`, and the classes in order.

    Raises:
        ValueError: fewer than two folders hold texts, or one is in another encoding.
    """
    folder = check_directory("directory", directory)
    rows = []
    for file in sorted(folder.glob("*/*.txt")):
        text = read_text("directory", file, encoding)
        rows.append((text, file.parent.name, file.relative_to(folder).as_posix()))
    table = pd.DataFrame(rows, columns=["text", "label", "file"])
    names = sorted(set(table["label"]))
    if len(names) < 2:
        raise ValueError(
            "`directory` must hold at least two folders of .txt files, one for each "
            f"class. Received: directory={str(directory)!r} ({len(names)} folders)"
        )
    return table, names


def _of_tabs(text: str) -> pd.DataFrame:
    try:
        table = _parsed(text, "\t", quoted=False)
    except ValueError as error:
        try:
            return _parsed(text, "\t")
        except ValueError:
            raise error from None
    return table.rename(columns=_bare).map(_bare)


def _bare(field: str) -> str:
    """`field` without the quotes around it."""
    return field[1:-1].replace('""', '"') if _IN_QUOTES.fullmatch(field) else field


def _parsed(text: str, delimiter: str = ",", *, quoted: bool = True) -> pd.DataFrame:
    """Rows by the header's names, without blank lines where there are several columns.

    Raises:
        ValueError: there is no header, or rows have more or fewer fields.
    """
    # Of the whole process; pandas has no such limit, but takes what is not there as "".
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    lines = StringIO(text.lstrip("\r\n"), newline="")
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    before = text[: len(text) - len(text.lstrip("\r\n"))].count("\n")
    rows, wrong, line = [], [], 1
    try:
        header = next(reader, [])
        for row in reader:
            begins, line = line, reader.line_num
            row = row or [""]
            if len(row) == len(header):
                rows.append(row)
            elif len(row) > 1 or row[0].strip():
                wrong.append(before + begins + 1)
    except csv.Error as error:
        raise ValueError(f"line {before + reader.line_num}: {error}") from error
    if not header:
        raise ValueError("it is empty")
    first, *_ = text.lstrip().split("\n", 1)
    if len(header) == 1 and (reason := wrong_separator(first.rstrip("\r"), delimiter)):
        raise ValueError(f"{reason}; a file with tabs is a .tsv")
    if wrong:
        raise ValueError(
            f"{len(header)} columns, and other numbers of fields in the rows that "
            f"begin in lines {first_few(wrong)}"
        )
    names = [name or f"Unnamed: {place}" for place, name in enumerate(header)]
    if len(set(names)) < len(names):
        raise ValueError(f"columns of the same name: {first_few(names)}")
    return pd.DataFrame(rows, columns=names, dtype="str")


def _suffix(file: str | Path) -> str:
    return Path(str(file).removesuffix(".gz")).suffix.lower()


def _received(name: str, file: str | Path | bytes) -> str:
    shown = f"{len(file):,} bytes" if isinstance(file, bytes) else repr(str(file))
    return f"Received: {name}={shown}"


def _content(name: str, path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(
            f"`{name}` must be an existing file. Received: {name}={str(path)!r}"
        )
    content = path.read_bytes()
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"`{name}` must be packed by gzip, as its suffix says. Received: "
            f"{name}={str(path)!r} ({error})"
        ) from error


def _advice(content: bytes, encoding: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "It begins as UTF-16 does: pass encoding='utf-16' (--encoding utf-16)."
    for other in _OTHERS[:-1]:
        try:
            content.decode(other)
        except UnicodeError:
            continue
        if other != encoding.lower() and b"\0" not in content:
            return (
                f"It can be read as {other.upper()}: pass encoding={other!r} "
                f"(--encoding {other})."
            )
    return "Save it as UTF-8."
