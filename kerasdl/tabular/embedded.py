"""What a network has learned of categories, as columns for other models."""

from dataclasses import replace

import keras
import numpy as np
import pandas as pd

from kerasdl._layer_walks import layers_in_order

from .columns import Columns
from .features._columns import check_new
from .networks import embedding_name


def embed_features(
    model: keras.Model, columns: Columns, frame: pd.DataFrame
) -> pd.DataFrame:
    """Put trained embeddings in the place of the columns of categories.

    A column `Store` becomes `Store_0`, `Store_1` and so on, float32, as many as its
    embedding is wide; they stand behind the other columns, which stay. What is unknown
    and what is a hole have an embedding, too.

    Args:
        model: of `entity_embeddings` or `tabular_resnet`, or one of raw columns that
            holds it, such as a `Predictor`'s. Of a mean of networks the first counts.
        columns: that it was trained with.
        frame: raw rows.

    Raises:
        ValueError: `model` embeds nothing; a column of categories is missing or of
            another type than in training; or a new name is taken.

    Reference:
        Guo & Berkhahn, 2016, https://arxiv.org/abs/1604.06737, table 3
    """
    categories = replace(columns, numbers=())
    codes, _ = categories.encode(frame)
    kept = frame.drop(columns=categories.names, errors="ignore")
    parts = {
        f"{column.name}_{place}": values
        for column, table in zip(
            columns.categories,
            embedded_codes(model, columns, codes),
            strict=True,
        )
        for place, values in enumerate(table.T)
    }
    check_new(kept, parts)
    return pd.concat([kept, pd.DataFrame(parts, frame.index)], axis=1)


def embedded_codes(
    model: keras.Model, columns: Columns, codes: np.ndarray
) -> list[np.ndarray]:
    """The embedding of each code, `(n, width)` for each column of categories.

    Args:
        model: as by `embed_features`.
        columns: that it was trained with.
        codes: `(n, c)`, as of `Columns.encode`.

    Raises:
        ValueError: `model` embeds nothing.
    """
    layers: dict[str, keras.Layer] = {}
    for layer in layers_in_order(model):
        layers.setdefault(layer.name, layer)
    names = [embedding_name(place) for place in range(len(columns.categories))]
    if not names or not set(names) <= set(layers):
        raise ValueError(
            "`model` must embed categories, as that of `entity_embeddings` does. "
            f"Received: model={model.name!r}, of {len(names)} columns of categories"
        )
    weights = [layers[name].get_weights()[0] for name in names]
    return [table[codes[:, place]] for place, table in enumerate(weights)]
