import errno
import json
import os
from pathlib import Path

import pytest

from kerasdl._atomic import (
    naming_full_folder,
    remove_dead_partials,
    remove_partials,
    replacing,
    write_by,
    write_bytes,
    write_json,
    write_text,
)


def test_files_are_written_and_nothing_lies_beside_them(tmp_path):
    write_bytes(tmp_path / "a.bin", b"\0\xff")
    write_text(tmp_path / "a.txt", "Grüße\n")
    write_json(tmp_path / "a.json", {"Größe": [1, None, float("nan"), float("-inf")]})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.bin", "a.json", "a.txt"]
    assert (tmp_path / "a.bin").read_bytes() == b"\0\xff"
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "Grüße\n"
    assert json.loads((tmp_path / "a.json").read_bytes()) == {
        "Größe": [1, None, None, None]  # JSON knows no others
    }


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("old")
    with replacing(path) as beside:
        assert beside.suffix == ".keras"  # Keras and matplotlib look at it
        assert beside.parent == tmp_path  # a rename across file systems is a copy
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fault", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_a_fault_leaves_the_old_file_and_no_other(tmp_path, fault):
    path = tmp_path / "history.csv"
    path.write_text("old")
    with pytest.raises(type(fault)), replacing(path) as beside:
        beside.write_text("ne")
        raise fault
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_fault_leaves_no_file_where_none_was(tmp_path):
    with pytest.raises(TypeError):
        write_json(tmp_path / "manifest.json", {"a": object()})
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_wrote_nothing_is_an_error(tmp_path):
    path = tmp_path / "curves.png"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


def test_what_a_killed_process_left_is_removed_and_nothing_else(
    tmp_path, left_by_a_kill
):
    path = tmp_path / "state[1].npz"
    left, other = left_by_a_kill(path), left_by_a_kill(tmp_path / "state1.npz")
    with replacing(tmp_path / "at_work.npz") as at_work:
        at_work.write_text("half")
        elsewhere = other.with_name(".00000000" + other.name[9:])  # of another host
        others = ["state[1].npz", elsewhere.name, ".7.partial.state[1].npz", "a"]
        for name in others:
            (tmp_path / name).write_text("kept")
        remove_partials(path)
        kept = sorted([*others, other.name, at_work.name])
        assert sorted(file.name for file in tmp_path.iterdir()) == kept
        remove_dead_partials(tmp_path)
        assert not left.exists() and not other.exists() and at_work.exists()
    write_bytes(tmp_path / "a", b"")
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted(
        [*others, "at_work.npz"]
    )


WRITERS = {
    "bytes": lambda path: write_bytes(path, b"new"),
    "text": lambda path: write_text(path, "new"),
    "json": lambda path: write_json(path, "new"),
    "by": lambda path: write_by(path, lambda file: file.write(b"new")),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_the_next_write_removes_what_a_kill_left(writer, tmp_path, left_by_a_kill):
    path = tmp_path / "file"
    left_by_a_kill(path)
    WRITERS[writer](path)
    assert list(tmp_path.iterdir()) == [path] and "new" in path.read_text()


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_a_full_disk_is_told_with_its_folder(writer, moment, tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("old")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    owner = Path if moment == "write" else os
    monkeypatch.setattr(owner, "write_bytes" if moment == "write" else moment, full)
    message = f"No space left on device: no room in the folder '{tmp_path}'.*: file"
    with pytest.raises(OSError, match=message) as told:
        WRITERS[writer](path)
    assert told.value.errno == errno.ENOSPC and str(told.value).count("folder") == 1
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "old"


def test_a_full_disk_that_another_library_tells_of(tmp_path):
    with pytest.raises(OSError, match=f"no room in the folder '{tmp_path}'"):
        with naming_full_folder(tmp_path):
            raise RuntimeError("/x/saved_model.pb; No space left on device")
    with pytest.raises(OSError, match="File too large: no room in the folder"):
        with naming_full_folder(tmp_path), naming_full_folder(tmp_path / "below"):
            raise OSError(errno.EFBIG, "File too large")
    with pytest.raises(PermissionError, match="^.Errno 13. denied$"):
        with naming_full_folder(tmp_path):
            raise PermissionError(errno.EACCES, "denied")


def test_what_is_written_in_memory_has_the_name_of_the_file(tmp_path):
    write_by(tmp_path / "a.weights.h5", lambda file: file.write(str(file).encode()))
    assert (tmp_path / "a.weights.h5").read_text() == "a.weights.h5"
