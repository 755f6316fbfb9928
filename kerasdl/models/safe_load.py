"""Load `.keras` files of others: nothing in them may run, or unpack to a bomb."""

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras

from kerasdl._keras_internals import without_values

from ._archive import DAMAGED, MAX_BYTES, check_archive
from ._weights_file import WEIGHTS, check_tree

CONFIG = "config.json"
MAX_CONFIG_BYTES = 16 * 2**20
# Keras's own, but they run code or read files that a configuration names.
_UNSAFE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
_UNSAFE_MODULES = {"utils", "saving", "export", "datasets"}


def load_model(path: str | Path, max_bytes: int = MAX_BYTES) -> keras.Model:
    """Load a `.keras` file that may come from anybody; it is not compiled.

    Before Keras sees it, it is looked at for what it unpacks to, for links and arrays
    that are not in it whole, and for code and classes that are not Keras's own; and its
    layers must have no more weights than the file holds. So what is read takes at most
    100 times the size of the file, and 3 times where nothing in it is compressed; to
    this come the objects of its layers, whose configuration is at most 16 MB. What they
    take to compute is not bounded. A SavedModel cannot be made safe in this way: it is
    a program.

    Args:
        path: the file.
        max_bytes: that everything in it may take unpacked.

    Raises:
        ValueError: there is no such file, it is no `.keras` file, it would unpack to
            more or to other places, its layers ask for more than it holds, or it holds
            a Lambda or a class that is not Keras's; the message has its name.

    Example:
        ```
        kd.export.save_inference_model(model, "model.keras")
        same = kd.models.load_model("model.keras")
        ```
    """
    path = Path(path)
    received = f"Received: path={str(path)!r}"
    if not path.is_file() or path.suffix != ".keras":
        raise ValueError(f"`path` must be an existing .keras file. {received}")
    try:
        advice = " `max_bytes` allows more."
        check_archive(path, max_bytes, received, "path", advice)
        with zipfile.ZipFile(path) as archive:
            _check_config_size(archive, received)
            config = json.loads(archive.read(CONFIG))
            held = _count_weights(io.BytesIO(archive.read(WEIGHTS)))
        if not isinstance(config, dict):
            raise ValueError(f"{CONFIG} holds no model")
    except (*DAMAGED, ValueError) as error:
        if isinstance(error, ValueError) and "`path`" in str(error):
            raise
        raise ValueError(
            f"`path` must be a .keras file. {received} ({str(error) or 'damaged'})"
        ) from error
    config.pop("compile_config", None)  # not read with compile=False
    if what := foreign_part(config):
        raise ValueError(
            "`path` must hold nothing but Keras's own layers and functions: others "
            f"could run code. {received}, which holds {what}"
        )
    try:
        if (asked := _count_asked(config)) > held:
            raise RuntimeError(f"its layers have {asked:,} weights, it has {held:,}")
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # of a configuration that lies layers may raise anything
        raise ValueError(
            f"`path` must be a .keras file that is whole. {received} ({_short(error)})"
        ) from error


def _short(error: Exception, limit: int = 300) -> str:
    """The begin and the end of its text: Keras quotes whole configurations."""
    text = str(error)
    return text if len(text) <= 2 * limit else f"{text[:limit]} ... {text[-limit:]}"


def _count_weights(opened: io.BytesIO) -> int:
    with h5py.File(opened) as file:
        return check_tree(file, opened)


def _count_asked(config: dict[str, Any]) -> int:
    """Numbers in the weights of the model of `config`, which are not made."""
    with without_values():
        model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    return sum(math.prod(weight.shape) for weight in model.weights)


def foreign_part(config: Any, layer: str = "model", own: str = "keras") -> str | None:
    """What in the configuration of a model is not Keras's own, with its layer.

    Args:
        config: as `keras.saving.serialize_keras_object` writes it.
        layer: name of what it belongs to.
        own: a further package whose classes are taken for Keras's.

    Returns:
        A text such as "layer 'scale' (Lambda)"; None if all is Keras's.
    """
    if isinstance(config, dict):
        kind, inner = config.get("class_name") or "", config.get("config")
        if kind and isinstance(inner, dict):
            layer = inner.get("name", layer)
        if not isinstance(kind, str):
            return f"layer {layer!r} (a class named {kind!r})"
        # Names such as __keras_tensor__ stand for values, __lambda__ stands for code.
        is_value = kind.startswith("__") and kind != "__lambda__"
        if kind and not is_value and not _is_plain(kind, config.get("module"), own):
            return f"layer {layer!r} ({inner if kind == 'function' else kind})"
        activation = config.get("activation")
        if isinstance(activation, dict) and "class_name" not in activation:
            # So Keras writes a lambda, which it then cannot read.
            return f"layer {layer!r} (a lambda as activation)"
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for part in config:
            if found := foreign_part(part, layer, own):
                return found
    return None


def _is_plain(kind: str, module: str | None, own: str) -> bool:
    """Whether a class or function is Keras's own, and does nothing but compute."""
    root, *parts = str(module).split(".")
    is_own = root in ("keras", own)
    return is_own and kind not in _UNSAFE and not _UNSAFE_MODULES & {*parts}


def _check_config_size(archive: zipfile.ZipFile, received: str) -> None:
    if archive.getinfo(CONFIG).file_size > MAX_CONFIG_BYTES:
        raise ValueError(
            f"`path` must have a {CONFIG} of at most {MAX_CONFIG_BYTES:,} bytes. "
            f"{received}"
        )
