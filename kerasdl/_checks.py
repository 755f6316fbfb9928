"""Argument checks in one form: what must hold, what was received, what to do."""

import os
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from numbers import Integral
from pathlib import Path
from typing import Any


def check_one_of(name: str, value: Any, allowed: Iterable[Any]) -> None:
    """Raise ValueError unless `value` is one of `allowed`."""
    allowed = list(allowed)
    if value not in allowed:
        options = ", ".join(repr(option) for option in allowed)
        words = [option for option in allowed if isinstance(option, str)]
        near = get_close_matches(value, words, 1) if isinstance(value, str) else []
        meant = f". Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"`{name}` must be one of {options}. Received: {name}={value!r}{meant}"
        )


def check_positive_int(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is an integer of at least 1."""
    if not _is_int(value, least=1):
        raise ValueError(
            f"`{name}` must be an integer of at least 1. Received: {name}={value!r}"
        )


def check_non_negative_int(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is an integer of at least 0."""
    if not _is_int(value, least=0):
        raise ValueError(
            f"`{name}` must be an integer of at least 0. Received: {name}={value!r}"
        )


def check_directory(name: str, path: str | Path) -> Path:
    """Return `path` as a Path; raise ValueError unless it is a directory."""
    path = Path(path)
    if not path.is_dir():
        raise ValueError(
            f"`{name}` must be an existing directory. Received: {name}={str(path)!r}"
        )
    return path


def check_suffix(name: str, path: str | Path, suffix: str) -> Path:
    """Return `path` as a Path; raise ValueError unless it ends in `suffix`."""
    if not Path(path).name.endswith(suffix):
        raise ValueError(
            f"`{name}` must end in {suffix}. Received: {name}={str(path)!r}"
        )
    return Path(path)


def check_writable(name: str, path: str | Path) -> Path:
    """Return `path` as a Path; raise ValueError unless a file can be written there."""
    path = Path(path)
    received = f"Received: {name}={str(path)!r}"
    if path.is_dir():
        raise ValueError(f"`{name}` must be a file. {received}, which is a folder")
    if not path.parent.is_dir():
        raise ValueError(
            f"`{name}` must be in a folder that exists. {received}. Make "
            f"{str(path.parent)!r} first."
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ValueError(
            f"`{name}` must be in a folder that can be written to. {received}"
        )
    return path


def make_writable_folder(name: str, path: str | Path) -> Path:
    """Make the folder `path` unless it is there; ValueError if nothing fits in it."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        fault = "" if os.access(path, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        fault = error.strerror
    if fault:
        raise ValueError(
            f"`{name}` must be a folder that can be written to. Received: "
            f"{name}={str(path)!r} ({fault})"
        )
    return path


def size_pair(name: str, value: Any) -> tuple[int, int]:
    """Return `value`, one side or `(height, width)` in pixels, as a pair.

    Raises:
        ValueError: it is neither an integer of at least 1 nor a pair of them.
    """
    pair = (value, value) if isinstance(value, Integral) else value
    if (
        not isinstance(pair, (tuple, list))
        or len(pair) != 2
        or not all(_is_int(side, least=1) for side in pair)
    ):
        raise ValueError(
            f"`{name}` must be one side or (height, width), integers of at least 1. "
            f"Received: {name}={value!r}"
        )
    return int(pair[0]), int(pair[1])


def _is_int(value: Any, least: int) -> bool:
    """Whether `value` is an integer from `least` on, Python's or NumPy's, no bool."""
    is_int = isinstance(value, Integral) and not isinstance(value, bool)
    return is_int and int(value) >= least


def check_class_names(name: str, class_names: Iterable[str]) -> None:
    """Raise ValueError unless files of a class a line, such as labels.txt, hold them.

    Args:
        name: of the argument that they come from.
        class_names: the names.
    """
    for class_name in class_names:
        if not isinstance(class_name, str) or not _is_line(class_name):
            raise ValueError(
                f"`{name}` must be non-empty names of one line, in UTF-8 and without "
                f"NUL, for the classes. Received: {name} with the class {class_name!r}"
            )


def _is_line(text: str) -> bool:
    is_one = text.splitlines() == [text] and "\0" not in text
    return (
        is_one and bool(text.strip()) and text.encode(errors="replace").decode() == text
    )


def first_few(names: Collection[object], limit: int = 5) -> str:
    """`names` for an error message: the first ones, and how many there are."""
    names = list(names)
    shown = ", ".join(map(repr, names[:limit]))
    return shown if len(names) <= limit else f"{shown}, ... ({len(names)} in all)"
