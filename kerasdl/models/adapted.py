"""Layers that were adapted to data, such as Normalization, beyond their weights."""

import hashlib
from typing import Any

import keras

from kerasdl._layer_walks import layers_in_order


def finalize_adapted(model: keras.Model) -> None:
    """Let layers of `model` compute with weights that were assigned to them.

    Normalization computes with a copy of its weights, which Keras renews in `adapt`
    and `load_weights` alone. Functions that were traced before hold the old one.
    """
    stale = [
        layer
        for layer in layers_in_order(model)
        if hasattr(layer, "finalize_state") and layer.variables
    ]
    for layer in stale:
        layer.finalize_state()
    if stale:
        model.train_function = model.test_function = model.predict_function = None


def adapted_state(layer: keras.Layer) -> Any:
    """What a layer learned in `adapt` and keeps outside of its weights, as a digest.

    Returns:
        The number of words, or of boundaries, and their SHA-256; None for layers that
        have none.
    """
    if hasattr(layer, "get_vocabulary"):
        kept = list(map(str, layer.get_vocabulary()))
    elif isinstance(layer, keras.layers.Discretization):
        kept = list(map(str, layer.bin_boundaries or ()))
    else:
        return None
    digest = hashlib.sha256("\0".join(kept).encode()).hexdigest()[:16]
    return {"count": len(kept), "sha256": digest}
