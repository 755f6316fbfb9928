"""Files that appear whole or not at all: write beside, then rename."""

import errno
import io
import json
import math
import os
import platform
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kerasdl._checks import check_writable

# Host, process and thread that write, then the file they write.
_TEMPORARY = re.compile(r"\.([0-9a-f]{8})-(\d+)-\d+\.partial\.(.+)", re.DOTALL)
_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_FOLDER = "no room in the folder"


@contextmanager
def replacing(path: str | Path, *, clean: bool = True) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it to `path` at the end.

    The temporary name keeps the suffix. An exception removes it and leaves `path` as it
    was. What processes that were killed here have left of `path` is removed.

    Args:
        path: the file.
        clean: False where a folder of many files is cleaned once for all of them.

    Raises:
        OSError: as the block raises it; of a full disk, with the folder and the file.
    """
    path = Path(path)
    if clean:
        remove_partials(path)
    owner = f"{_HOST}-{os.getpid()}-{threading.get_ident()}"
    beside = path.with_name(f".{owner}.partial.{path.name}")
    try:
        with naming_full_folder(path.parent, path.name):
            yield beside
            with open(beside, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def naming_full_folder(
    folder: str | Path, name: str = "what came last"
) -> Iterator[None]:
    """Let the error of a full disk say which folder is full, and what was not written.

    TensorFlow's is no OSError, and becomes one.
    """
    try:
        yield
    except Exception as error:
        number = getattr(error, "errno", None)
        if number not in _FULL and os.strerror(errno.ENOSPC) in str(error):
            number = errno.ENOSPC
        if number not in _FULL or _FULL_FOLDER in str(error):
            raise
        raise OSError(
            number,
            f"{os.strerror(number)}: {_FULL_FOLDER} {str(Path(folder).absolute())!r}. "
            f"Not written: {name}. Make room there, and try again",
        ) from error


def is_temporary(name: str) -> bool:
    """Whether `replacing` gives temporary files such a name."""
    return _TEMPORARY.fullmatch(name) is not None


def written_name(name: str) -> str:
    """The name of the file that a temporary file's `name` is for; others as it is."""
    found = _TEMPORARY.fullmatch(name)
    return found[3] if found else name


def remove_partials(path: str | Path) -> None:
    """Remove what processes that were killed in `replacing(path)` left beside it."""
    path = Path(path)
    remove_dead_partials(path.parent, path.name)


def remove_dead_partials(folder: str | Path, name: str | None = None) -> None:
    """Remove the temporary files in `folder` whose processes, of this host, are gone.

    Args:
        folder: where to look, not below it; it may be missing.
        name: of the file they are for; None takes all.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        for entry in os.scandir(folder):
            found = _TEMPORARY.fullmatch(entry.name)
            if found and name in (None, found[3]) and _is_dead(found[1], int(found[2])):
                with suppress(OSError):  # another process was first
                    os.unlink(entry.path)


def remove_all_partials(folder: str | Path) -> None:
    """Remove the temporary files below `folder`, on which nobody else works."""
    for path in Path(folder).rglob(".*.partial.*"):
        if is_temporary(path.name) and path.is_file():
            path.unlink()


def _is_dead(host: str, process: int) -> bool:
    if host != _HOST:
        return False
    if os.name == "nt":  # where a file that is open cannot be removed
        return process != os.getpid()
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's
        return False
    return False


def write_bytes(
    path: str | Path, content: bytes | memoryview, *, clean: bool = True
) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path, clean=clean) as beside:
        beside.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all.

    Bytes of a file name that are no UTF-8 become escapes, in JSON as it has them.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON, whole or not at all.

    Numbers that JSON does not know, NaN and the infinite ones, become null.
    """
    text = json.dumps(_known_to_json(value), indent=2, ensure_ascii=False)
    write_text(path, text + "\n")


def _known_to_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _known_to_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_known_to_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_by(path: str | Path, write: Callable[[Any], object]) -> None:
    """Write to `path` what `write(file)` writes to a file in memory, or nothing.

    So a full disk is an exception of Python's: HDF5, which Keras writes weights by,
    ends the process where its own writing fails. `write` may be `model.save`,
    `model.save_weights` or whatever takes an open file.

    Raises:
        ValueError: no file can be written at `path`; nothing was done.
    """
    check_writable("path", path)
    file = _InMemory(Path(path).name)
    write(file)
    write_bytes(path, file.getbuffer())


class _InMemory(io.BytesIO):
    """Bytes with a name, as Keras goes by the end of it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __str__(self) -> str:
        return self._name
