"""Files that appear whole or not at all: write beside, then rename."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

_PARTIAL = ".partial."


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it to `path` at the end.

    The temporary name keeps the suffix, which Keras and matplotlib look at. An
    exception removes it and leaves `path` as it was.
    """
    path = Path(path)
    beside = path.with_name(
        f".{os.getpid()}-{threading.get_ident()}{_PARTIAL}{path.name}"
    )
    try:
        yield beside
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def remove_partials(path: str | Path) -> None:
    """Remove what processes that were killed in `replacing(path)` left beside it."""
    path = Path(path)
    for beside in path.parent.glob(f".*{_PARTIAL}{escape(path.name)}"):
        beside.unlink(missing_ok=True)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all.

    Bytes of a file name that are no UTF-8 become escapes, in JSON as it has them.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
