import collections
import io
import os
import pickle
import sys
import types

import numpy as np
import pytest

from kerasdl.models import _torch_pickle
from kerasdl.models._torch_pickle import read_torch_tensors

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


class FloatStorage:
    """Stands for torch's class of that name while a test pickles it."""

    def __init__(self, key, values):
        self.key, self.values = key, np.asarray(values, "<f4")


def _rebuild_tensor_v2(*args):
    raise NotImplementedError("the reader must not call it")


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.args = (storage, offset, shape, strides, False, collections.OrderedDict())

    def __reduce__(self):
        return _rebuild_tensor_v2, self.args


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, FloatStorage):
            key, length = value.key, len(value.values)
            return ("storage", FloatStorage, key, "cpu", length, None)
        return None


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file as torch before 1.6 did, without torch."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage, utils._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2
    monkeypatch.setattr(FloatStorage, "__module__", "torch")
    monkeypatch.setattr(_rebuild_tensor_v2, "__module__", "torch._utils")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def write(value, storages=(), magic=MAGIC_NUMBER, little_endian=True):
        file = io.BytesIO()
        for part in (magic, 1001, {"little_endian": little_endian}):
            pickle.dump(part, file, protocol=2)
        Pickler(file, protocol=2).dump(value)
        pickle.dump([storage.key for storage in storages], file, protocol=2)
        for storage in storages:
            file.write(len(storage.values).to_bytes(8, "little"))
            file.write(storage.values.tobytes())
        path = tmp_path / "tensors.pth"
        path.write_bytes(file.getvalue())
        return path

    return write


def test_reads_tensors_that_share_a_storage(write):
    storage = FloatStorage("7", range(8))
    path = write(
        collections.OrderedDict(
            rows=Tensor(storage, 0, (2, 3), (3, 1)),
            columns=Tensor(storage, 2, (3, 2), (1, 3)),
            scalar=Tensor(storage, 5, (), ()),
        ),
        [storage],
    )
    tensors = read_torch_tensors(path)
    np.testing.assert_array_equal(tensors["rows"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(tensors["columns"], [[2, 5], [3, 6], [4, 7]])
    assert tensors["scalar"] == 5


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_refuses_code(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (write({"a": Malicious()}), write({}, magic=Malicious())):
        with pytest.raises(ValueError, match="mkdir, which is no tensor"):
            read_torch_tensors(path)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("value", [{"a": 1}, {1: 2}, [], {"a": [1]}, "text"])
def test_refuses_what_is_no_dict_of_tensors(value, write):
    with pytest.raises(ValueError, match="that holds tensors only"):
        read_torch_tensors(write(value))


def test_a_pickle_cannot_write_to_our_classes(write):
    path = write({})
    head = b"ctorch._utils\n_rebuild_tensor_v2\n"
    body = b"\x80\x02" + head + b"N}X\x05\x00\x00\x00shapeK\x01s\x86b."
    content = path.read_bytes()
    empty_dict = pickle.dumps({}, protocol=2)
    path.write_bytes(content.replace(empty_dict, body, 1))
    with pytest.raises(ValueError, match="that holds tensors only"):
        read_torch_tensors(path)
    assert _torch_pickle._Tensor(
        None, offset=0, shape=(2,), strides=(1,), requires_grad=False, hooks=None
    ).shape == (2,)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (9,), (1,)),
        (-1, (2,), (1,)),
        (4, (2, 2), (4, 1)),
        (7, (2,), (-1,)),
        (0, (1000, 1000), (0, 0)),
    ],
)
def test_refuses_tensors_outside_their_storage(offset, shape, strides, write):
    storage = FloatStorage("0", range(8))
    path = write({"a": Tensor(storage, offset, shape, strides)}, [storage])
    with pytest.raises(ValueError, match="outside its storage|more than the file"):
        read_torch_tensors(path)


def test_refuses_many_tensors_of_one_storage(write):
    storage = FloatStorage("0", range(1000))
    tensors = {str(i): Tensor(storage, 0, (1000,), (1,)) for i in range(100)}
    with pytest.raises(ValueError, match="hold more than the file"):
        read_torch_tensors(write(tensors, [storage]))


def test_refuses_a_file_that_is_cut_short(write):
    storage = FloatStorage("0", range(8))
    path = write({"a": Tensor(storage, 0, (8,), (1,))}, [storage])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="storage 0 is cut short"):
        read_torch_tensors(path)


def test_refuses_other_files(write, tmp_path):
    with pytest.raises(ValueError, match="not torch's magic number"):
        read_torch_tensors(write({}, magic=1))
    with pytest.raises(ValueError, match="big-endian"):
        read_torch_tensors(write({}, little_endian=False))
    (tmp_path / "photo.pth").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ValueError, match=r"Received: path='.*photo\.pth'"):
        read_torch_tensors(tmp_path / "photo.pth")
