"""Run folders: `run_folder` writes one, `read_run` reads one.

A run works in `OUT.partial/`, which is renamed to `OUT` at its end: a folder named
`OUT` is complete. `manifest.json` in it says how the run was made.
"""

import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from itertools import chain, count
from pathlib import Path
from typing import Any

import kerasdl
from kerasdl import strategies
from kerasdl._atomic import (
    naming_full_folder,
    remove_all_partials,
    write_json,
    write_text,
)
from kerasdl._atomic_folder import (
    check_free,
    check_name,
    check_no_partial,
    check_partial,
    claimed,
    discard_partial,
    partial_of,
    publish,
)
from kerasdl._checks import check_class_names
from kerasdl._file_names import LABELS, MANIFEST, MODEL
from kerasdl._run_info import RunInfo
from kerasdl._seeds import resolve_seed

_MANIFEST_TYPES = {"arguments": dict, "seed": int, "results": (dict, list)}
# ... and of those that a run may lack.
_MAY_HOLD = {
    "data": dict,
    "reading": dict,
    "resumed": list,
    "image_size": list,
    "task": str,
    "likeness": dict,
}
_MAY_MOVE = {"cache"}  # arguments in which a resumed run may differ
_OWN_PLACES = {"cache", "data", "weights"}  # ... and the machines of a job
KEPT = "kept "  # begins the note of an error that left a partial run
PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless")


@dataclass
class Run:
    """A run at work, as `run_folder` yields it.

    Attributes:
        path: the folder to write to, `OUT.partial`.
        out: the folder it becomes.
        seed: the seed given, drawn, or (when resumed) recorded.
        manifest: the content of `manifest.json`; add keys, then `save_manifest()`.
        resumed: whether the folder holds what an earlier process wrote.
        is_chief: False for the workers of `tf.distribute` but the first, whose `path`
            is a temporary folder that nobody keeps and whose `out` is not theirs.
    """

    path: Path
    out: Path
    seed: int
    manifest: dict[str, Any]
    resumed: bool
    is_chief: bool = True

    def save_manifest(self) -> None:
        """Write `manifest.json`, whole or not at all."""
        write_json(self.path / MANIFEST, _plain(self.manifest))

    def record(self, **results: Any) -> None:
        """Merge `results` into the manifest's results and save it."""
        self.manifest["results"].update(_plain(results))
        self.save_manifest()

    def save_labels(self, class_names: Sequence[str]) -> None:
        """Write `labels.txt`: one class name a line, in the model's output order."""
        check_class_names("class_names", class_names)
        write_text(self.path / LABELS, "".join(f"{name}\n" for name in class_names))


@contextmanager
def run_folder(
    out: str | Path,
    arguments: Mapping[str, Any],
    *,
    seed: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> Iterator[Run]:
    """Work in `OUT.partial/`; rename it to `OUT` when the block ends without error.

    After an error, Ctrl-C or a kill the partial folder stays, for `resume=True`, and a
    note of the error says so; it is removed if the block had not begun to write. A
    lock, which the system releases even when the process is killed, keeps a second run
    out.

    Of several workers of `tf.distribute` the chief alone does so. It gives the others
    its seed and files at the start; each of them works in a temporary folder.

    Args:
        out: the folder to make.
        arguments: what the user asked for; written to the manifest, and compared
            with it by a resumed run, where only the place of the cache may differ.
        seed: None draws one and prints it; a resumed run takes the recorded one.
        resume: continue `OUT.partial`.
        overwrite: start anew over `OUT.partial`, unless resumed, and replace the
            run at `OUT`, which stays in place until the new one is complete.

    Raises:
        ValueError: `out` exists, is partial, is in use or is no place for a
            folder; there is nothing to resume, or other arguments began it.
    """
    out = Path(out)
    if not strategies.is_chief():
        with _as_helper(out, _plain(arguments)) as run:
            yield run
        strategies.leave_together()
        return
    check_name(out)
    arguments = _plain(arguments)
    with claimed(out):
        if resume:
            check_partial(out)
        elif not overwrite:
            check_no_partial(out)
        check_free(out, MANIFEST, overwrite)
        run = (_resumed if resume else _started)(out, arguments, seed)
        try:
            run.save_manifest()
            if strategies.is_multi_worker():
                strategies.share_folder(run.path)
            with naming_full_folder(run.path):
                yield run
            run.manifest["end"] = _now()
            run.save_manifest()
        except BaseException as error:
            if not _has_work(run):
                shutil.rmtree(run.path)
            else:
                error.add_note(f"{KEPT}{run.path}")  # a command says how to go on
            raise
        check_free(out, MANIFEST, overwrite)  # made by others meanwhile
        publish(out)
    strategies.leave_together()


@contextmanager
def _as_helper(out: Path, arguments: dict[str, Any]) -> Iterator[Run]:
    """The chief's run, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="kerasdl-") as folder:
        path = Path(folder)
        strategies.share_folder(path)
        manifest = _read_manifest(path, begun=True)
        recorded = manifest["arguments"]
        if differing := _differences(arguments, recorded, _OWN_PLACES):
            raise ValueError(
                "the arguments must be those of the first machine. Received: "
                f"{', '.join(differing)}"
            )
        resumed = bool(manifest.get("resumed"))
        yield Run(path, out, manifest["seed"], manifest, resumed, is_chief=False)


def read_run(path: str | Path) -> RunInfo:
    """Read a finished run.

    Args:
        path: the run folder, or the `model.keras` in it.

    Raises:
        ValueError: `path` is not a run folder, or its run has not finished.
    """
    folder = Path(path)
    if folder.name == MODEL:
        folder = folder.parent
    received = f"Received: path={str(path)!r}"
    if folder.name.endswith(".partial"):
        raise ValueError(
            f"`path` must be a finished run. {received}. Finish it with --resume."
        )
    if not folder.is_dir():
        raise ValueError(f"`path` must be an existing run folder. {received}")
    missing = [name for name in (LABELS, MANIFEST) if not (folder / name).is_file()]
    if MANIFEST in missing:
        raise ValueError(
            f"`path` must be a run folder, with {MANIFEST}. {received} "
            f"(without {' and '.join(missing)})"
        )
    return RunInfo(folder, _read_labels(folder), _read_manifest(folder))


def default_out(parent: str | Path, name: str) -> Path:
    """The first of `parent/name`, `name-2`, `name-3` ... that no run has taken."""
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    outs = (Path(parent) / each for each in names)
    return next(out for out in outs if not (out.exists() or partial_of(out).exists()))


def newest_partial(parent: str | Path, name: str) -> Path | None:
    """The `OUT` of the partial run written to last, of those `default_out` names.

    Returns:
        `parent/name` or `parent/name-N` (without `.partial`), to be passed to
        `run_folder` with `resume=True`; None when there is no partial run.
    """
    pattern = re.compile(rf"({re.escape(name)}(-\d+)?)\.partial")
    found = [path for path in Path(parent).glob("*.partial") if path.is_dir()]
    found = [path for path in found if pattern.fullmatch(path.name)]
    if not found:
        return None
    return max(found, key=lambda path: path.stat().st_mtime_ns).with_suffix("")


def recorded_arguments(out: str | Path) -> dict[str, Any]:
    """The arguments that began the partial run of `out`.

    Raises:
        ValueError: there is no such partial run.
    """
    out = Path(out)
    check_partial(out)
    _check_resumable(out)
    return _read_manifest(partial_of(out), begun=True)["arguments"]


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that decide a run's numbers."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # a sibling such as tensorflow-cpu
            found[package] = None
    return found


def _started(out: Path, arguments: dict[str, Any], seed: int | None) -> Run:
    """A new run in an empty `OUT.partial`."""
    seed = resolve_seed(seed)
    discard_partial(out)
    partial = partial_of(out)
    partial.mkdir()
    onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    manifest = {
        "kerasdl": kerasdl.__version__,
        "arguments": arguments,
        "seed": seed,
        "versions": versions(),
        "platform": platform.platform(),
        # Unset leaves the choice to TensorFlow, which goes by the processor.
        "onednn": None if onednn is None else onednn == "1",
        "start": _now(),
        "end": None,
        "results": {},
    }
    return Run(partial, out, seed, manifest, resumed=False)


def _resumed(out: Path, arguments: dict[str, Any], seed: int | None) -> Run:
    """The run that `OUT.partial` holds, if the same arguments began it."""
    partial = partial_of(out)
    _check_resumable(out)
    manifest = _read_manifest(partial, begun=True)
    given = {**arguments, "seed": manifest["seed"] if seed is None else seed}
    recorded = {**manifest["arguments"], "seed": manifest["seed"]}
    if differing := _differences(given, recorded, _MAY_MOVE):
        raise ValueError(
            "`resume` needs the arguments that began the run. Received: "
            f"{', '.join(differing)}. Repeat the recorded ones, or start anew with "
            "overwrite=True (--overwrite)."
        )
    remove_all_partials(partial)  # a kill left them
    manifest["arguments"] = arguments
    manifest.setdefault("resumed", []).append(_now())
    return Run(partial, out, manifest["seed"], manifest, resumed=True)


def _differences(
    given: dict[str, Any], recorded: dict[str, Any], allowed: set[str]
) -> list[str]:
    """What to say of each argument that differs."""
    return [
        f"{name}={given.get(name)!r} (recorded: {recorded.get(name)!r})"
        for name in given | recorded
        if given.get(name) != recorded.get(name) and name not in allowed
    ]


def _check_resumable(out: Path) -> None:
    if not (partial_of(out) / MANIFEST).is_file():
        raise ValueError(
            f"`resume` needs a {MANIFEST} in the partial run. Received: "
            f"out={str(out)!r}. Start anew with overwrite=True (--overwrite)."
        )


def _has_work(run: Run) -> bool:
    written = {path.name for path in run.path.iterdir()} - {MANIFEST}
    return bool(written or run.manifest["results"])


def _read_labels(folder: Path) -> list[str]:
    if not (folder / LABELS).is_file():
        return []
    try:
        labels = (folder / LABELS).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise _damaged(folder, LABELS, str(error)) from error
    if not labels or not all(labels):
        raise _damaged(folder, LABELS, "a line without a name")
    return labels


def _read_manifest(folder: Path, begun: bool = False) -> dict[str, Any]:
    """The manifest in `folder`; with what every run begins with, if it has `begun`."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, MANIFEST, str(error)) from error
    if not isinstance(manifest, dict):
        raise _damaged(folder, MANIFEST, f"a {type(manifest).__name__}")
    for name, kind in (_MANIFEST_TYPES | _MAY_HOLD).items():
        is_there = name in manifest or (begun and name in _MANIFEST_TYPES)
        if is_there and not isinstance(manifest.get(name), kind):
            raise _damaged(folder, MANIFEST, f"{name}={manifest.get(name)!r}")
    return manifest


def _damaged(folder: Path, name: str, found: str) -> ValueError:
    return ValueError(
        f"`{name}` must be as a run wrote it, whole and undamaged. Received: "
        f"{str(folder / name)!r} ({found}). Restore it, or make the run anew: "
        "overwrite=True (--overwrite)."
    )


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """`value` as JSON gives it back: tuples as lists, paths as text, numpy as plain."""

    def convert(item: Any) -> Any:
        return item.tolist() if hasattr(item, "tolist") else str(item)

    return json.loads(json.dumps(dict(value), default=convert))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
