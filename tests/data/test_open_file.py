import errno
import os

import pytest

from kerasdl.data._open_file import open_file, read_bytes


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_all_bytes_are_read(tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    assert read_bytes(tmp_path / "file") == content
    with open_file(str(tmp_path / "file")) as file:
        assert file.read() == content


def test_a_size_is_not_believed(tmp_path, monkeypatch):
    """A file that grows, or a file system that knows no sizes."""
    (tmp_path / "file").write_bytes(b"0123456789")
    stated = os.stat(tmp_path / "file")
    for size in (0, 3, 9, 11):
        fields = [*stated[:6], size, *stated[7:]]
        monkeypatch.setattr(os, "fstat", lambda _, f=fields: os.stat_result(f))
        assert read_bytes(tmp_path / "file") == b"0123456789"


@pytest.mark.parametrize("read", [open_file, read_bytes])
def test_what_has_no_end_is_refused(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="no regular file") as error:
            read(path)
        assert error.value.errno == errno.EINVAL
