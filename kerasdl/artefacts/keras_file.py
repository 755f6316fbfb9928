"""A `.keras` file for prediction that any TensorFlow code loads without kerasdl."""

from pathlib import Path
from typing import Any

import keras

from kerasdl._atomic import write_by
from kerasdl._checks import check_suffix, check_writable
from kerasdl._layer_walks import layers_in_order
from kerasdl.models import foreign_part
from kerasdl.models.adapted import finalize_adapted

_HALF_POLICIES = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def save_inference_model(model: keras.Model, path: str | Path) -> None:
    """Write a trained model as a `.keras` file for prediction, whole or not at all.

    Augmentation and dropout in it do nothing when it predicts, as ever in Keras.

    Args:
        model: functional or Sequential, of Keras's own layers and functions.
        path: the file, ending in `.keras`.

    Raises:
        ValueError: `path` ends otherwise, or plain Keras could not load the model.

    Example:
        ```
        kd.export.save_inference_model(model, "model.keras")
        ```
    """
    check_suffix("path", path, ".keras")
    check_writable("path", path)
    copy = inference_model(model)
    write_by(path, copy.save)


def inference_model(model: keras.Model) -> keras.Model:
    """Copy a trained model for prediction: not compiled, every layer in float32.

    Raises:
        ValueError: plain Keras could not load the model; the message names the layer
            that is in the way.
    """
    try:
        config = _for_prediction(keras.saving.serialize_keras_object(model))
        if what := foreign_part(config, model.name):
            raise _not_plain(what)
        copy = keras.saving.deserialize_keras_object(config)
    except (NotImplementedError, TypeError) as error:  # Keras cannot write or read it
        raise _not_plain(str(error).strip().split("\n")[0]) from error
    copy.set_weights(model.get_weights())
    pairs = zip(layers_in_order(model), layers_in_order(copy), strict=True)
    for layer, own in pairs:
        # Words that a layer was adapted to stand in no configuration.
        if hasattr(layer, "lookup_table") and not int(own.lookup_table.size()):
            own.set_vocabulary(layer.get_vocabulary(include_special_tokens=False))
    finalize_adapted(copy)
    return copy


def _for_prediction(config: Any) -> Any:
    """`config` with float32 in place of half precision, and nothing to compile."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            half = config["config"]["name"] in _HALF_POLICIES
            return "float32" if half else config
        return {
            key: _for_prediction(value)
            for key, value in config.items()
            if key != "compile_config"
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_for_prediction(part) for part in config)
    return config


def _not_plain(received: str) -> ValueError:
    return ValueError(
        "`model` must be functional or Sequential and hold nothing but Keras's own "
        "layers and functions, or plain Keras cannot load it. "
        f"Received: a model with {received}"
    )
