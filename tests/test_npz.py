import io
import zipfile

import numpy as np
import pytest

from kerasdl._npz import read_npz

ARRAYS = {"a": np.arange(12.0).reshape(3, 4), "text": np.array("Größe"), "n": 7}


@pytest.fixture
def content():
    file = io.BytesIO()
    np.savez(file, **ARRAYS)
    return file.getvalue()


def test_arrays_are_read_as_numpy_reads_them(content, tmp_path):
    (tmp_path / "a.npz").write_bytes(content)
    found = read_npz(tmp_path / "a.npz", ["a"])
    with np.load(tmp_path / "a.npz") as expected:
        assert list(found) == list(expected)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
            assert found[name].dtype == expected[name].dtype
    turned = io.BytesIO()
    np.savez(turned, a=ARRAYS["a"].T)
    read = read_npz("a.npz", content=turned.getvalue())["a"]
    np.testing.assert_array_equal(read, ARRAYS["a"].T)


def test_a_file_that_is_cut_or_flipped_anywhere_is_named(content):
    message = "'a.npz' must be whole and undamaged. Received: 'x/a.npz'.*Remove it"
    for size in range(0, len(content), 17):
        with pytest.raises(ValueError, match=message):
            read_npz("x/a.npz", content=content[:size])
    for place in range(0, len(content), 5):
        flipped = bytearray(content)
        flipped[place] ^= 255
        try:
            found = read_npz("x/a.npz", ARRAYS, content=bytes(flipped))
        except ValueError as error:
            assert "'a.npz' must be whole" in str(error)
        else:  # a time of writing, or the like
            for name, array in ARRAYS.items():
                np.testing.assert_array_equal(found[name], array)


def member(header, values=b""):
    """A file with one array of any header."""
    text = header.encode().ljust(118 - 1) + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + values
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", array)
    return file.getvalue()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<U2000000000', 'fortran_order': False, 'shape': (9,)}",
        "nothing",
    ],
)
def test_headers_that_lie_take_no_memory(header):
    with pytest.raises(ValueError, match="'a.npz' must be whole"):
        read_npz("a.npz", content=member(header, bytes(8)))


def test_a_bomb_is_told_by_what_it_declares(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(30 << 20))
    with pytest.raises(ValueError, match="declares more bytes than it can hold"):
        read_npz("a.npz", expansion=20, content=file.getvalue())


def test_a_missing_array_and_the_advice(content):
    with pytest.raises(ValueError, match="without b.. Fetch it again."):
        read_npz("a.npz", ["a", "b"], "Fetch it again.", content=content)
