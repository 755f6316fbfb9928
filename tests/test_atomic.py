import json

import pytest

from kerasdl._atomic import (
    remove_partials,
    replacing,
    write_bytes,
    write_json,
    write_text,
)


def test_files_are_written_and_nothing_lies_beside_them(tmp_path):
    write_bytes(tmp_path / "a.bin", b"\0\xff")
    write_text(tmp_path / "a.txt", "Grüße\n")
    write_json(tmp_path / "a.json", {"Größe": [1, None]})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.bin", "a.json", "a.txt"]
    assert (tmp_path / "a.bin").read_bytes() == b"\0\xff"
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "Grüße\n"
    assert json.loads((tmp_path / "a.json").read_bytes()) == {"Größe": [1, None]}


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


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    path = tmp_path / "state[1].npz"
    with pytest.raises(FileNotFoundError), replacing(path) as beside:
        beside.write_text("ha")
        left = beside.rename(beside.with_name(beside.name.replace(".", ".9", 1)))
    others = ["state[1].npz", ".7.partial.state1.npz", ".7.partial.other.npz", "a"]
    for name in others:
        (tmp_path / name).write_text("kept")
    remove_partials(path)
    assert not left.exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(others)
