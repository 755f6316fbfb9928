"""Load weights from a file into a model: all of them, or an error and none.

`load_weights` matches layers by name. Three kinds of file are read, and no code in them
runs: `.keras` (a whole model), `.weights.h5` (Keras 3) and `.h5` (before Keras 3).
"""

from collections.abc import Collection
from pathlib import Path

import h5py
import keras

from kerasdl._layer_walks import direct_weights, layers_in_order

from ._archive import DAMAGED
from ._weights_file import names_in, open_weights
from .adapted import finalize_adapted
from .copying import Owner, first, owners, repeated, stable_name

# Layer name -> its weights in order, not yet read; none for several of one name.
_Weights = dict[str, list[h5py.Dataset]]


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
        ValueError: there is no such file, it cannot be read or holds links or arrays
            that are not in it whole, or it is of another network; the message names
            the layers that differ. Or several layers of `model` have one name.
    """
    path = check_weights_file(path)
    with open_weights(path) as file:
        _copy(model, file, path, top, whole)


def restore_weights(model: keras.Model, path: str | Path) -> None:
    """Load what `model.save_weights` wrote into the same model, layer by place.

    Args:
        model: unchanged if the file does not fit.
        path: a file that ends in `.weights.h5`.

    Raises:
        ValueError: there is no such file, it cannot be read, as in `load_weights`, or
            is of another model.
    """
    path = Path(path)
    if not path.name.endswith(".weights.h5") or not path.is_file():
        raise ValueError(
            "`path` must be an existing file that ends in .weights.h5. Received: "
            f"path={str(path)!r}"
        )
    own = [(owner, [w.numpy() for w in owner.weights]) for owner in owners(model)]
    with open_weights(path, "path") as file:
        try:
            _check_no_more(model, file)
            model.load_weights(path)
        except (*DAMAGED, ValueError) as error:
            for owner, values in own:
                owner.assign(values)
            finalize_adapted(model)
            raise ValueError(
                f"`path` must be a file of the network {model.name!r}. Received: "
                f"path={str(path)!r} ({error})"
            ) from error


def _check_no_more(model: keras.Model, file: h5py.File) -> None:
    """Raise ValueError for weights of layers that `model` lacks: Keras passes over."""
    groups = set()

    def note(path: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and not path.startswith("optimizer/"):
            groups.add(item.parent.name)

    file.visititems(note)
    own = sum(bool(direct_weights(layer)) for layer in layers_in_order(model))
    if len(groups) > own:
        raise ValueError(f"weights of {len(groups)} layers, of which it has {own}")


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


def _copy(
    model: keras.Model,
    file: h5py.File,
    path: Path,
    top: Collection[str],
    whole: bool,
) -> None:
    wanted = _named(model, path)
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
            f"weights={str(path)!r}, where {first(faults)}. Pass a file that was "
            "saved from this network."
        )
    for name, owner in wanted.items():
        owner.assign([dataset[()] for dataset in found[name]])
    finalize_adapted(model)


def _named(model: keras.Model, path: Path) -> dict[str, Owner]:
    found = list(owners(model))
    if twice := repeated([owner.name for owner in found]):
        raise ValueError(
            "`model` must have layers of different names to load `weights` by name. "
            f"Received: model={model.name!r} with several layers named "
            f"{min(twice)!r}, weights={str(path)!r}. `restore_weights` goes by their "
            "places."
        )
    return {owner.name: owner for owner in found}


def _faults(wanted: dict[str, Owner], found: _Weights) -> list[str]:
    """Say, layer by layer, what `wanted` needs and `found` lacks."""
    faults = []
    for name, owner in wanted.items():
        weights = found.get(name)
        if weights is None:
            faults.append(f"layer {name!r} is missing")
        elif not weights:
            faults.append(f"several layers are named {name!r}")
        elif (there := [weight.shape for weight in weights]) != owner.shapes():
            faults.append(
                f"layer {name!r} has shapes {there} instead of {owner.shapes()}"
            )
    return faults


def _leftovers(
    wanted: dict[str, Owner],
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


def _datasets(group: h5py.Group) -> _Weights:
    """Collect Keras 3's `<class>_<n>/vars/<i>`, where `vars` bears the layer's name."""
    found: _Weights = {}

    def visit(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group) and "name" in item.attrs:
            indices = sorted(int(key) for key in item if key.isdigit())
            if indices:
                name = stable_name(item.attrs["name"])
                own = [item[str(index)] for index in indices]
                found[name] = [] if name in found else own

    group.visititems(visit)
    return found


def _legacy_datasets(file: h5py.File) -> _Weights:
    """Collect what `layer_names`, and `weight_names` of each layer, list."""
    model = file.get("model_weights", file)  # a whole model, or weights alone
    found: _Weights = {}
    for name in names_in(model, "layer_names"):
        weights = names_in(model[name], "weight_names")
        layers = [weight.split("/")[-2:-1] for weight in weights]
        # A model among the layers holds weights of several; others go by their name.
        is_model = len({*map(tuple, layers)}) > 1
        for weight, inner in zip(weights, layers, strict=True):
            layer = stable_name(inner[0] if is_model else name)
            found.setdefault(layer, []).append(model[name][weight])
    return found
