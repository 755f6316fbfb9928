"""What a network computes, as far as its structure and weights tell."""

import hashlib
import json
from typing import Any

import keras
import numpy as np

from kerasdl.models import foreign_part
from kerasdl.models.uncompiled import uncompiled

_OF_TRAINING = ("_initializer", "_regularizer", "_constraint")


def fingerprint(model: keras.Model) -> str:
    """SHA-256 of what a network computes, its structure and weights, in hexadecimal.

    What does not change a prediction is left out: names that Keras counts up
    (`input_layer_3`), what is of training alone. So is the code of layers and functions
    that are not Keras's: see `check_cache_key`.
    """
    # Layers are among the operations; a Sequential has nothing else.
    operations = getattr(model, "operations", model.layers)
    names = {one.name: f"operation {number}" for number, one in enumerate(operations)}
    config = _renamed(_config(model), {**names, model.name: "model"})
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for weight in model.get_weights():
        digest.update(np.asarray(weight).tobytes())
    return digest.hexdigest()


def check_cache_key(model: keras.Model, cache_key: str | None) -> None:
    """Raise ValueError if `model` computes by code that `fingerprint` cannot know.

    Or if its activations cannot be kept at all, for want of a configuration.
    """
    if cache_key is not None and (not isinstance(cache_key, str) or not cache_key):
        raise ValueError(
            f"`cache_key` must be None or a text. Received: cache_key={cache_key!r}"
        )
    if cache_key is None and (what := foreign_part(_config(model), own="kerasdl")):
        raise ValueError(
            "`cache_key` must tell versions of your own code apart where activations "
            f"are kept. Received: cache_key=None, and a model that holds {what}, whose "
            "code the cache does not know. Pass a text, such as cache_key='1', and "
            "another when you edit the code."
        )


def _config(model: keras.Model) -> dict[str, Any]:
    try:
        with uncompiled(model):
            return _without_training(json.loads(model.to_json()))
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            "`model` must hold layers whose configuration Keras can write, for its "
            f"activations to be kept. Received: model={model.name!r} ({error}). Give "
            "your own layers a `get_config`."
        ) from error


def _without_training(config: Any) -> Any:
    if isinstance(config, dict):
        return {
            key: _without_training(value)
            for key, value in config.items()
            if key not in ("seed", "trainable", "compile_config")
            and not key.endswith(_OF_TRAINING)
        }
    if isinstance(config, list):
        return [_without_training(part) for part in config]
    return config


def _renamed(config: Any, names: dict[str, str], key: str = "") -> Any:
    """`config` with other names of operations, where a text is one.

    A layer may have the name of an activation.
    """
    if isinstance(config, dict):
        return {key: _renamed(value, names, key) for key, value in config.items()}
    if isinstance(config, list):
        return [_renamed(part, names, key) for part in config]
    is_name = key in ("name", "keras_history", "input_layers", "output_layers")
    return names.get(config, config) if is_name and isinstance(config, str) else config
