"""Read a legacy (before 1.6) torch file of tensors without torch.

Such a file is five pickles (magic number, protocol, system, the object, the keys of
its storages) and then, for each storage, its length and its raw values.
"""

import collections
import math
import os
import pickle
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("<i1"),
    "ByteStorage": np.dtype("<u1"),
    "BoolStorage": np.dtype("?"),
}


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    length: int


class _Tensor(NamedTuple):
    """A tensor to be: the arguments of torch's `_rebuild_tensor_v2`."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    requires_grad: bool
    hooks: Any


class _TensorUnpickler(pickle.Unpickler):
    """Admits dicts of tensors: no other class or function can be named."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *args: _Tensor(*args)  # a pickle may write to what it gets
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, length, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError("it refers to something that is no storage")
        return _Storage(key, _DTYPES[dtype], length)


def read_torch_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Read the state dict in the legacy torch file `path`.

    Runs no code of the file: its pickle may name tensors and their dict only.

    Returns:
        Tensor name -> array in torch's own layout (kernels are
        `(out, in, height, width)`).

    Raises:
        ValueError: the file is damaged, or holds anything but tensors.
        FileNotFoundError: there is no such file.
    """
    with open(path, "rb") as file:
        try:
            return _read(file)
        # A hostile pickle can make the unpickler raise nearly anything.
        except Exception as error:
            raise ValueError(
                "`path` must be a legacy torch file (before torch 1.6) that holds "
                f"tensors only. Received: path={str(path)!r} ({error})"
            ) from error


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    if _TensorUnpickler(file).load() != _MAGIC_NUMBER:
        raise pickle.UnpicklingError("its first pickle is not torch's magic number")
    _TensorUnpickler(file).load()  # protocol
    if not _TensorUnpickler(file).load()["little_endian"]:
        raise pickle.UnpicklingError("it is big-endian")
    tensors = _TensorUnpickler(file).load()
    keys = _TensorUnpickler(file).load()
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise pickle.UnpicklingError(f"{name!r} is no tensor")
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    values = {key: _read_storage(file, storages[key]) for key in keys}
    # Many tensors of one storage would make a small file large.
    asked = sum(math.prod(t.shape) * t.storage.dtype.itemsize for t in tensors.values())
    if asked > os.fstat(file.fileno()).st_size:
        raise pickle.UnpicklingError("its tensors hold more than the file")
    return {name: _view(values, tensor) for name, tensor in tensors.items()}


def _read_storage(file: BinaryIO, storage: _Storage) -> np.ndarray:
    length = int.from_bytes(file.read(8), "little", signed=True)
    num_bytes = length * storage.dtype.itemsize
    left = os.fstat(file.fileno()).st_size - file.tell()
    if length != storage.length or not 0 <= num_bytes <= left:
        raise pickle.UnpicklingError(f"storage {storage.key} is cut short")
    return np.frombuffer(file.read(num_bytes), storage.dtype)


def _view(values: dict[str, np.ndarray], tensor: _Tensor) -> np.ndarray:
    storage, (shape, strides) = values[tensor.storage.key], tensor[2:4]
    reach = sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    # The bounds that NumPy does not check here; the last also keeps a small file from
    # growing into a large array.
    if (
        min((tensor.offset, *shape, *strides)) < 0
        or tensor.offset + reach >= len(storage)
        or math.prod(shape) > len(storage)
    ):
        raise pickle.UnpicklingError("a tensor lies outside its storage")
    steps = [step * storage.itemsize for step in strides]
    return as_strided(storage[tensor.offset :], shape, steps).copy()
