"""A table that is made once and kept as Parquet, by what it is made of."""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from kerasdl._atomic import replacing
from kerasdl._cache_dir import default_cache_dir
from kerasdl._checks import make_writable_folder

_HERE = Path(__file__).parent


def cached_table(
    make: Callable[[], pd.DataFrame],
    files: Iterable[str | Path],
    cache: str | Path | None = None,
    made_by: str = "",
) -> pd.DataFrame:
    """Return what `make()` gives, from the cache if that holds it.

    The name there is a hash of the contents of `files`, of `made_by`, of the code of
    this package's features and of pandas's version: what any of them changes is made
    anew, and the same files elsewhere are not.

    Args:
        make: returns the table; it should depend on `files` and `made_by` alone.
        files: what it reads.
        cache: the folder; None is `$XDG_CACHE_HOME/kerasdl` or `~/.cache/kerasdl`.
        made_by: whatever else decides the table; the source of `make` counts anyway.

    Raises:
        ValueError: a file is not there, or `cache` cannot be written to.
    """
    key = hashlib.sha256(f"{made_by}{_source(make)}{pd.__version__}".encode())
    for module in sorted(_HERE.glob("*.py")):
        key.update(module.read_bytes())
    for file in map(Path, files):
        if not file.is_file():
            raise ValueError(
                f"`files` must be existing files. Received: files with {str(file)!r}"
            )
        with open(file, "rb") as stream:
            key.update(hashlib.file_digest(stream, "sha256").digest())
    folder = make_writable_folder("cache", cache or default_cache_dir())
    path = folder / f"table-{key.hexdigest()[:24]}.parquet"
    if path.is_file():
        return pd.read_parquet(path)
    table = make()
    with replacing(path) as beside:
        table.to_parquet(beside)
    return table


def _source(make: Callable[[], pd.DataFrame]) -> str:
    try:
        return inspect.getsource(make)
    except (OSError, TypeError):  # typed into a shell, or of a library in C
        return getattr(make, "__qualname__", "")
