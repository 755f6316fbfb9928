"""A SavedModel folder for TensorFlow Serving and other TensorFlow code."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kerasdl._atomic import naming_full_folder
from kerasdl._atomic_folder import (
    check_free,
    check_name,
    claimed,
    empty_partial,
    publish,
)
from kerasdl.runtime import silenced

from .signature import ServedModule, Signature, as_module

_MARKER = "saved_model.pb"
_FILES = (_MARKER, "assets", "variables", "fingerprint.pb")


def write_saved_model(
    model: keras.Model,
    path: str | Path,
    signature: Signature,
    assets: Mapping[str, str] | None = None,
    entries: Mapping[str, Callable[[Any], Any]] | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a trained model as a SavedModel folder, whole or not at all.

    Args:
        model: functional or Sequential, of Keras's own layers.
        path: the folder.
        signature: what its signature `serve`, the default one, takes in batches of any
            size, and returns.
        assets: texts by file name, to lie in `assets/`.
        entries: further signatures by name: a function of `serve`, which is called with
            tensors in the order of `signature.inputs`, to a `tf.function` with an input
            signature.
        overwrite: replace a SavedModel at `path`.

    Raises:
        ValueError: `signature` is not one of `model`, or `path` exists.
    """
    signature.check(model)
    with _place(path, overwrite, *(assets or ())) as partial:
        _save(as_module(model, signature), partial, assets or {}, entries or {})


def save_module(
    module: ServedModule, path: str | Path, *, overwrite: bool = False
) -> None:
    """Write a module as a SavedModel folder, whole or not at all.

    Args:
        module: whose `serve`, a `tf.function` with an input signature, is the
            signature; it holds the variables.
        path: the folder.
        overwrite: replace a SavedModel at `path`.

    Raises:
        ValueError: `path` exists.
    """
    with _place(path, overwrite) as partial:
        _save(module, partial, {}, {})


@contextmanager
def _place(path: str | Path, overwrite: bool, *files: str) -> Iterator[Path]:
    """The partial folder of `path`, which is published at the end."""
    path = Path(path)
    check_name(path)
    with claimed(path):
        check_free(path, _MARKER, overwrite)
        partial = empty_partial(path, (*_FILES, *files))
        try:
            yield partial
        except BaseException:
            shutil.rmtree(partial)
            raise
        publish(path)


def _save(
    module: ServedModule,
    folder: Path,
    assets: Mapping[str, str],
    entries: Mapping[str, Callable[[Any], Any]],
) -> None:
    # Assets are copied from here; temporary files would do as well.
    texts = [folder / name for name in assets]
    for file, text in zip(texts, assets.values(), strict=True):
        file.write_text(text, encoding="utf-8")
    module.assets = [tf.saved_model.Asset(str(file)) for file in texts]
    signatures = {"serve": module.serve, "serving_default": module.serve}
    for name, make in entries.items():
        signatures[name] = make(module.serve)
        setattr(module, name, signatures[name])
    with silenced(), naming_full_folder(folder):
        tf.saved_model.save(module, str(folder), signatures)
    for file in texts:
        file.unlink()
