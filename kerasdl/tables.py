"""CSV files read, or refused by name."""

import warnings
from pathlib import Path
from typing import Any

import pandas as pd

_HOW = (
    "Save it as a CSV file in UTF-8, with as many fields in each row as in its header, "
    "or read it by pandas (`read_csv(..., encoding=..., sep=...)`, `read_excel`) and "
    "save that."
)


def read_csv(name: str, path: str | Path, **options: Any) -> pd.DataFrame:
    """Read a CSV file in UTF-8 with a header by `pandas.read_csv`.

    Args:
        name: of the argument that `path` is, for errors.
        path: the file.
        **options: of `pandas.read_csv`.

    Raises:
        ValueError: there is no such file, or it cannot be read so: another encoding,
            rows of other lengths, a NUL, nothing at all.
    """
    received = f"Received: {name}={str(path)!r}"
    if not Path(path).is_file():
        raise ValueError(f"`{name}` must be an existing CSV file. {received}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, index_col=False, **options)
    # Of pandas, of decoding, and of files that are not what their suffix says.
    except (ValueError, OSError, EOFError, pd.errors.ParserWarning) as error:
        reason = str(error).strip()
        raise ValueError(
            f"`{name}` must be a CSV file in UTF-8. {received} ({reason}). {_HOW}"
        ) from error
    text = [*table.columns, *table.select_dtypes(["object", "string"]).stack()]
    if any("\0" in str(value) for value in text):
        raise ValueError(f"`{name}` must be text without NUL. {received}. {_HOW}")
    return table
