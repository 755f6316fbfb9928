"""Folders below folders, each real one once, whatever links lead to it."""

import os
from collections.abc import Sequence
from pathlib import Path

# What systems put beside photos: thumbnails, halves of files, bins.
_OF_SYSTEMS = frozenset(
    {
        "__MACOSX",
        "__pycache__",
        "@eaDir",
        "#recycle",
        "$RECYCLE.BIN",
        "lost+found",
        "System Volume Information",
    }
)

Folders = list[tuple[str, list[str]]]  # a folder, and the names of its files


def walk(tops: Sequence[str | Path], follow_links: bool = True) -> list[Folders]:
    """List the folders below each of `tops`, that itself among them.

    Hidden folders and those of systems are passed over. A folder that can be reached
    in several ways is listed where it lies, or at the first of the links to it. No
    link is followed to a folder that one of `tops` lies in.

    Args:
        tops: folders, or links to some.
        follow_links: whether to enter links to folders below `tops`.

    Returns:
        For each of `tops` its folders and their files, sorted by folder.

    Raises:
        OSError: a folder cannot be listed.
    """
    found: list[Folders] = [[] for _ in tops]
    above = {str(path) for top in tops for path in Path(top).resolve().parents}
    seen = set()
    waiting = list(enumerate(os.fspath(top) for top in tops))
    only_real = True  # at first: what lies below `tops` comes before links to it
    while waiting:
        links = []
        for number, start in waiting:
            if only_real and os.path.islink(start):
                links.append((number, start))
                continue
            for folder, subfolders, names in os.walk(start, onerror=_stop):
                real = os.path.realpath(folder)
                if real in seen:
                    subfolders.clear()
                    continue
                seen.add(real)
                found[number].append((folder, names))
                subfolders[:] = [name for name in subfolders if not is_hidden(name)]
                if follow_links:
                    for path in (os.path.join(folder, name) for name in subfolders):
                        if os.path.islink(path) and os.path.realpath(path) not in above:
                            links.append((number, path))
        waiting = sorted(links)
        only_real = False
    return [sorted(folders) for folders in found]


def is_hidden(name: str) -> bool:
    """Whether a folder of this name is hidden, or put there by a system."""
    return name.startswith(".") or name in _OF_SYSTEMS


def _stop(error: OSError) -> None:
    """Raise what `os.walk` would pass over in silence: a folder that is not read."""
    raise error
