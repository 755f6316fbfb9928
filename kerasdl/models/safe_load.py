"""Load `.keras` files of others: nothing in them may run, or unpack to a bomb."""

import json
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import keras

CONFIG = "config.json"
MAX_BYTES = 8 * 2**30  # of everything in a file; VGG-19 with its optimizer has 1.7 GB
MAX_CONFIG_BYTES = 64 * 2**20
# Keras's own, but they run code or read files that a configuration names.
_UNSAFE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
_UNSAFE_MODULES = {"utils", "saving", "export", "datasets"}
# What a damaged archive, or one that was made to confuse, makes its readers raise.
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError),
    *(AttributeError, KeyError, TypeError),
)


def load_model(path: str | Path, max_bytes: int = MAX_BYTES) -> keras.Model:
    """Load a `.keras` file that may come from anybody; it is not compiled.

    Before Keras sees it, its table of contents is looked at for what it would unpack,
    and its configuration for code and for classes that are not Keras's own. What
    memory the layers take that it asks for is not bounded. A SavedModel cannot be made
    safe in this way: it is a program.

    Args:
        path: the file.
        max_bytes: that everything in it may take unpacked.

    Raises:
        ValueError: there is no such file, it is no `.keras` file, it would unpack to
            more or to other places, or it holds a Lambda or a class that is not
            Keras's; the message has its name.
    """
    path = Path(path)
    received = f"Received: path={str(path)!r}"
    if not path.is_file() or path.suffix != ".keras":
        raise ValueError(f"`path` must be an existing .keras file. {received}")
    try:
        with zipfile.ZipFile(path) as archive:
            advice = " `max_bytes` allows more."
            check_contents(archive, max_bytes, received, "path", advice)
            _check_config_size(archive, received)
            config = json.loads(archive.read(CONFIG))
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
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except DAMAGED as error:
        raise ValueError(
            f"`path` must be a .keras file that is whole. {received} ({error})"
        ) from error


def foreign_part(config: Any, layer: str = "model") -> str | None:
    """What in the configuration of a model is not Keras's own, with its layer.

    Args:
        config: as `keras.saving.serialize_keras_object` writes it.
        layer: name of what it belongs to.

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
        if kind and not is_value and not _is_plain(kind, config.get("module")):
            return f"layer {layer!r} ({inner if kind == 'function' else kind})"
        activation = config.get("activation")
        if isinstance(activation, dict) and "class_name" not in activation:
            # So Keras writes a lambda, which it then cannot read.
            return f"layer {layer!r} (a lambda as activation)"
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for part in config:
            if found := foreign_part(part, layer):
                return found
    return None


def _is_plain(kind: str, module: str | None) -> bool:
    """Whether a class or function is Keras's own, and does nothing but compute."""
    root, *parts = str(module).split(".")
    return root == "keras" and kind not in _UNSAFE and not _UNSAFE_MODULES & {*parts}


def check_contents(
    archive: zipfile.ZipFile, max_bytes: int, received: str, name: str, advice: str
) -> None:
    """Raise ValueError for names that lead out of the archive, and for bombs.

    `name` is that of the argument, `received` what the messages say of it, and `advice`
    what they say of a bomb.
    """
    total = 0
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in entry.filename:
            raise ValueError(
                f"`{name}` must hold files of its own only. {received}, with "
                f"{entry.filename!r}"
            )
        total += entry.file_size
    if total > max_bytes:
        raise ValueError(
            f"`{name}` must unpack to at most {max_bytes:,} bytes. {received}, which "
            f"declares {total:,}.{advice}"
        )


def _check_config_size(archive: zipfile.ZipFile, received: str) -> None:
    if archive.getinfo(CONFIG).file_size > MAX_CONFIG_BYTES:
        raise ValueError(
            f"`path` must have a {CONFIG} of at most {MAX_CONFIG_BYTES:,} bytes. "
            f"{received}"
        )
