"""Folders that appear whole or not at all: work in `OUT.partial/`, then rename."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from kerasdl._atomic import is_temporary, naming_full_folder, written_name


def partial_of(out: Path) -> Path:
    """The folder in which `out` is made."""
    return out.with_name(f"{out.name}.partial")


def check_name(out: Path) -> None:
    """Raise ValueError unless `out` can be the name of a finished folder."""
    if not out.name or out.name == "..":
        raise ValueError(f"`out` must name a folder. Received: out={str(out)!r}")
    if out.name.endswith(".partial"):
        raise ValueError(
            "`out` must be the name of the finished folder; its .partial is found by "
            f"itself. Received: out={str(out)!r}. Pass {str(out.with_suffix(''))!r}."
        )


def check_free(out: Path, marker: str, overwrite: bool) -> None:
    """Raise ValueError if `out` exists, or may not be overwritten.

    Args:
        out: the finished folder.
        marker: a file that every folder of ours holds: others are not replaced.
        overwrite: whether a folder of ours may be replaced.
    """
    if not out.exists():
        return
    if not overwrite:
        raise ValueError(
            f"`out` must not exist. Received: out={str(out)!r}. Choose another name, "
            "or replace it with overwrite=True (--overwrite)."
        )
    if not (out / marker).is_file():
        raise ValueError(
            "`overwrite` replaces run folders only. Received: "
            f"out={str(out)!r} (without {marker}). Choose another name."
        )


def check_no_partial(out: Path) -> None:
    """Raise ValueError if there is an unfinished `OUT.partial`.

    One of a process that was killed before it wrote a file is removed.
    """
    partial = partial_of(out)
    if partial.is_dir() and all(is_temporary(file.name) for file in partial.iterdir()):
        shutil.rmtree(partial)
    if partial.exists():
        raise ValueError(
            f"`out` must have no unfinished run. Received: out={str(out)!r} "
            f"({partial_of(out).name} exists). Continue it with resume=True "
            "(--resume), or start anew with overwrite=True (--overwrite)."
        )


def check_partial(out: Path) -> None:
    """Raise ValueError unless there is an unfinished `OUT.partial`."""
    if not partial_of(out).is_dir():
        advice = "Start the run without it."
        if out.exists():
            advice = "It is finished: start another one anew with overwrite=True "
            advice += "(--overwrite), or under another name."
        raise ValueError(
            f"`resume` needs a partial run to continue. Received: out={str(out)!r} "
            f"({partial_of(out).name} does not exist). {advice}"
        )


def empty_partial(out: Path, ours: Collection[str]) -> Path:
    """Make `OUT.partial` anew, over what a process that failed has left.

    Args:
        out: the finished folder.
        ours: what the names in it may begin with, but for a dot.

    Raises:
        ValueError: `OUT.partial` holds anything else, such as a run that could be
            resumed.
    """
    partial = partial_of(out)
    if partial.is_dir():
        for path in partial.iterdir():
            name = written_name(path.name).lstrip(".")
            if not name.startswith(tuple(ours)):
                raise _taken(out, partial, f"holds {path.name}")
        shutil.rmtree(partial)
    elif partial.exists():
        raise _taken(out, partial, "is a file")
    partial.mkdir()
    return partial


def discard_partial(out: Path) -> None:
    """Remove `OUT.partial`, if there is one: a kill leaves the whole of it, or none."""
    if partial_of(out).exists():
        partial_of(out).rename(_discarded(out))
        shutil.rmtree(_discarded(out))


def _taken(out: Path, partial: Path, why: str) -> ValueError:
    return ValueError(
        "`out` must be a name that is free with .partial too. Received: "
        f"out={str(out)!r}, where {partial.name} {why}. Choose another name."
    )


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path` to fill; rename it to `path` at the end.

    An exception removes it; what a killed process has left of it is removed first, as
    nobody else gives a folder this name. To be used within `claimed(path)`.

    Raises:
        OSError: as the block raises it; of a full disk, with the folder.
    """
    beside = path.with_name(f".{path.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with naming_full_folder(path.parent, path.name):
            beside.mkdir()
            yield beside
            beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def claimed(out: Path, name: str = "out", *, wait: bool = False) -> Iterator[None]:
    """Keep other processes from working on `out`; settle what a killed one left.

    The system releases the lock even when the process is killed. Its file lies
    beside `out`, as what is inside gets renamed, and is gone in the end, like
    folders above `out` that were made for it and stayed empty.

    Args:
        out: the folder, made or to be made.
        name: of the argument, for its errors.
        wait: for another process that works on it to end.

    Raises:
        ValueError: another process works on `out`, or nothing can be written there.
    """
    made = [folder for folder in out.parents if not folder.exists()]
    try:
        lock = _lock(out, name, wait)
        try:
            _settle(out)
            yield
        finally:
            # Before the release: whoever opened this file meanwhile gets a lock
            # without a name, which filelock refuses. Windows removes it itself.
            with suppress(PermissionError):
                Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()
    finally:
        with suppress(OSError):  # not empty
            for folder in made:
                folder.rmdir()


def publish(out: Path) -> None:
    """Rename `OUT.partial` to `OUT`; an `OUT` that exists is removed after that."""
    if out.exists():
        out.rename(_aside(out))
    try:
        partial_of(out).rename(out)
    finally:
        _settle(out)


def _lock(out: Path, name: str, wait: bool) -> BaseFileLock:
    lock = FileLock(out.with_name(f".{out.name}.lock"), timeout=-1 if wait else 0)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise ValueError(
            f"`{name}` must not be in use by another run. Received: "
            f"{name}={str(out)!r}. "
            "Wait for it to end, or choose another name."
        ) from None
    except OSError as error:
        raise ValueError(
            f"`{name}` must be in a folder that can be written to. Received: "
            f"{name}={str(out)!r} ({error.strerror})"
        ) from error
    return lock


def _settle(out: Path) -> None:
    """End an overwrite, also one that was killed between its renames."""
    if _discarded(out).exists():
        shutil.rmtree(_discarded(out))
    aside = _aside(out)
    if not aside.exists():
        return
    if out.exists():
        shutil.rmtree(aside)
    else:
        aside.rename(out)


def _aside(out: Path) -> Path:
    return out.with_name(f".{out.name}.replaced")


def _discarded(out: Path) -> Path:
    return out.with_name(f".{out.name}.discarded")
