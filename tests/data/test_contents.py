import hashlib
import json
import os

import pytest

from kerasdl.data._contents import Contents


@pytest.fixture
def photo(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"first")
    return tmp_path / "a.jpg"


@pytest.fixture
def later(monkeypatch):
    """As if all files had been changed long ago."""
    monkeypatch.setattr("time.time_ns", lambda: 1 << 62)


def digest(cache, path):
    with Contents(cache) as contents:
        return contents.digest(path)


def sha(content):
    return hashlib.sha256(content).hexdigest()


def test_a_content_is_read_once(photo, tmp_path, later, monkeypatch):
    assert digest(tmp_path / "cache", photo) == sha(b"first")
    monkeypatch.setattr(hashlib, "file_digest", None)  # an error, if it is read again
    assert digest(tmp_path / "cache", photo) == sha(b"first")


def test_what_changed_lately_is_not_remembered(photo, tmp_path):
    os.utime(photo, ns=(1, 1))  # the time of its status is now
    digest(tmp_path / "cache", photo)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("how", ["in place", "by another file", "link"])
def test_an_edit_of_same_size_and_time_is_seen(how, photo, tmp_path, later):
    os.utime(photo, ns=(5, 5))
    path = photo
    if how == "link":
        path = tmp_path / "link.jpg"
        path.symlink_to(photo)
    assert digest(tmp_path / "cache", path) == sha(b"first")
    other = tmp_path / "b.jpg"
    other.write_bytes(b"other")
    os.utime(other, ns=(5, 5))
    if how == "in place":
        photo.write_bytes(b"other")
        before = photo.stat().st_ctime_ns
        while photo.stat().st_ctime_ns == before:  # until the clock ticks
            os.utime(photo, ns=(5, 5))
    elif how == "by another file":
        other.replace(photo)
    else:
        path.unlink()
        path.symlink_to(other)
    assert digest(tmp_path / "cache", path) == sha(b"other")


@pytest.mark.parametrize("damage", ["", "null", "[]", "[" * 100_000, '{"a": 1}', "\0"])
def test_a_damaged_index_is_made_anew(damage, photo, tmp_path, later):
    (tmp_path / "contents.json").write_text(damage)
    assert digest(tmp_path, photo) == sha(b"first")
    index = json.loads((tmp_path / "contents.json").read_text())
    assert index[str(photo)][-1] == sha(b"first")
