"""Load weights from a file into a model: all of them, or an error and none.

Layers are matched by name. Three kinds of file are read, and no code in them runs:
`.keras` (a whole model), `.weights.h5` (Keras 3) and `.h5` (before Keras 3).
"""

import io
import re
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import keras
import numpy as np

from .safe_load import DAMAGED, MAX_BYTES, check_contents

# Layer name -> its weights in order, not yet read.
_Weights = dict[str, list[h5py.Dataset | keras.Variable]]


def load_weights(
    model: keras.Model,
    path: str | Path,
    top: Collection[str] = (),
    *,
    whole: bool = False,
) -> None:
    """Load the weights in `path` into `model`, also into the models inside it.

    Every layer of `model` must be in the file under its name, with its shapes. The
    file may hold a head besides (dense and normalisation layers), so that a trained
    classifier can give its trunk; a convolution that `model` lacks means another
    network. A legacy `.h5` with other names fits if all its shapes do, in order: Keras
    3 renamed the layers of some networks.

    Args:
        model: the model to fill; unchanged if the file does not fit.
        path: a `.keras`, `.weights.h5` or legacy `.h5` file.
        top: names of the layers of the network's own top, which the file may hold too.
        whole: `model` has its top: the file must hold nothing besides.

    Raises:
        ValueError: there is no such file, it cannot be read, or it is of another
            network; the message names the layers that differ.
    """
    path = check_weights_file(path)
    try:
        with _open(path) as file:
            _copy(model, file, path, top, whole)
    except DAMAGED as error:
        raise ValueError(
            "`weights` must be a file of weights that Keras wrote. "
            f"Received: weights={str(path)!r}, which cannot be read ({error})"
        ) from error


def check_weights_file(path: str | Path, others: str = "'imagenet', None") -> Path:
    """Return `path`; raise ValueError unless it is a file that may hold weights.

    `others` are the values besides a path that the error names.
    """
    path = Path(str(path))
    if path.suffix not in (".keras", ".h5") or not path.is_file():
        raise ValueError(
            f"`weights` must be {others} or an existing file that ends in "
            f".keras, .weights.h5 or .h5. Received: weights={str(path)!r}"
        )
    return path


@contextmanager
def _open(path: Path) -> Iterator[h5py.File]:
    """Open `path`, or the weights inside it, as HDF5."""
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            yield file
    else:
        with zipfile.ZipFile(path) as archive:
            received = f"Received: weights={str(path)!r}"
            check_contents(archive, MAX_BYTES, received, "weights", advice="")
            weights = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights) as file:
            yield file


def _copy(
    model: keras.Model,
    file: h5py.File,
    path: Path,
    top: Collection[str],
    whole: bool,
) -> None:
    wanted = _layers_with_weights(model)
    legacy = "layers" not in file
    found = _legacy_datasets(file) if legacy else _datasets(file["layers"])
    faults = _faults(wanted, found) + _leftovers(wanted, found, top, whole)
    if faults and legacy and 0 <= len(found) - len(wanted) <= len(top):
        renamed = dict(zip(wanted, found.values(), strict=False))
        if not _faults(wanted, renamed):
            found, faults = renamed, []
    if faults:
        raise ValueError(
            f"`weights` must be a file of the network {model.name!r}. Received: "
            f"weights={str(path)!r}, where {_first(faults)}. Pass a file that was "
            "saved from this network."
        )
    for name, layer in wanted.items():
        _set_weights(layer, [_values(dataset, path) for dataset in found[name]])


def _values(dataset: h5py.Dataset, path: Path) -> np.ndarray:
    if dataset.external or dataset.is_virtual:
        raise ValueError(
            "`weights` must be a file that holds its own values. Received: "
            f"weights={str(path)!r}, whose {dataset.name} lies in another file"
        )
    return dataset[()]


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights of `source` to the layers of their names in `target`.

    Layers of the models inside `source` and `target` count as theirs.

    From a head on cached activations, say, to the same head on its trunk.

    Raises:
        ValueError: `target` lacks one of the layers, or has it in another shape.
    """
    given, takers = _layers_with_weights(source), _layers_with_weights(target)
    faults = _faults(given, {name: layer.weights for name, layer in takers.items()})
    if faults:
        raise ValueError(
            "`target` must hold every layer of `source` that has weights. Received: "
            f"source={source.name!r}, target={target.name!r}, where {_first(faults)}."
        )
    for name, layer in given.items():
        _set_weights(takers[name], layer.get_weights())


def _layers_with_weights(model: keras.Model) -> dict[str, keras.layers.Layer]:
    found = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found |= _layers_with_weights(layer)
        elif layer.weights:
            found[_stable_name(layer.name)] = layer
    return found


def _set_weights(layer: keras.layers.Layer, weights: list[np.ndarray]) -> None:
    layer.set_weights(weights)
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()  # it computes with a copy of its weights


def _faults(wanted: dict[str, keras.layers.Layer], found: _Weights) -> list[str]:
    """Say, layer by layer, what `wanted` needs and `found` lacks."""
    faults = []
    for name, layer in wanted.items():
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if name not in found:
            faults.append(f"layer {name!r} is missing")
        elif (there := [tuple(weight.shape) for weight in found[name]]) != shapes:
            faults.append(f"layer {name!r} has shapes {there} instead of {shapes}")
    return faults


def _leftovers(
    wanted: dict[str, keras.layers.Layer],
    found: _Weights,
    top: Collection[str],
    whole: bool,
) -> list[str]:
    """Name the layers of `found` that belong to neither `wanted` nor a head."""
    return [
        f"layer {name!r} is one too many"
        for name in sorted(found.keys() - wanted.keys() - set(top))
        if whole or any(len(weight.shape) == 4 for weight in found[name])
    ]


def _first(faults: list[str], limit: int = 5) -> str:
    more = [f"and {len(faults) - limit} more"] if len(faults) > limit else []
    return "; ".join(faults[:limit] + more)


def _datasets(group: h5py.Group) -> _Weights:
    """Collect Keras 3's `<class>_<n>/vars/<i>`, where `vars` bears the layer's name."""
    found: _Weights = {}

    def visit(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group) and "name" in item.attrs:
            indices = sorted(int(key) for key in item if key.isdigit())
            if indices:
                name = _stable_name(item.attrs["name"])
                found[name] = [item[str(index)] for index in indices]

    group.visititems(visit)
    return found


def _legacy_datasets(file: h5py.File) -> _Weights:
    """Collect what `layer_names`, and `weight_names` of each layer, list."""
    model = file.get("model_weights", file)  # a whole model, or weights alone
    found: _Weights = {}
    for name in _names(model, "layer_names"):
        weights = _names(model[name], "weight_names")
        owners = [weight.split("/")[-2:-1] for weight in weights]
        # A model among the layers holds weights of several; others go by their name.
        is_model = len({*map(tuple, owners)}) > 1
        for weight, owner in zip(weights, owners, strict=True):
            layer = _stable_name(owner[0] if is_model else name)
            found.setdefault(layer, []).append(model[name][weight])
    return found


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """Read a list of names, which HDF5 splits into numbered parts when it is long."""
    parts = [attribute] if attribute in group.attrs else []
    while (part := f"{attribute}{len(parts)}") in group.attrs:
        parts.append(part)
    names = [name for part in parts for name in group.attrs[part]]
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def _stable_name(name: str) -> str:
    """Undo Keras's numbering of normalisation layers that were given no name."""
    return re.sub(r"^normalization_\d+$", "normalization", name)
