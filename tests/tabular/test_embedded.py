"""Trained embeddings as columns, by hand, and put into trees."""

from importlib.util import find_spec

import keras
import numpy as np
import pandas as pd
import pytest

from kerasdl import tabular
from kerasdl.tabular.peers import EMBEDDED


@pytest.fixture
def toy():
    """A network of two columns whose embeddings are set by hand, and its data."""
    frame = pd.DataFrame(
        {"kind": ["b", "a", None] * 10, "floor": [3, 1] * 15, "x": np.arange(30.0)}
    )
    data = tabular.TableData.from_frame(frame, "x", ["kind", "floor"], [], seed=0)
    model = tabular.entity_embeddings(data, (4,), seed=0)
    model.get_layer("embedding1").set_weights([np.arange(8.0).reshape(4, 2)])
    model.get_layer("embedding2").set_weights([-np.arange(6.0).reshape(3, 2)])
    return model, data


# Codes: what is unknown, "a" or 1, "b" or 3, and of `kind` a hole.
ROWS = pd.DataFrame({"kind": ["b", "z", None], "floor": [1, 3, 2]}, index=[7, 8, 9])
EXPECTED = {
    "kind_0": [4, 0, 6],
    "kind_1": [5, 1, 7],
    "floor_0": [-2, -4, 0],
    "floor_1": [-3, -5, -1],
}


def test_embeddings_stand_in_the_place_of_categories(toy):
    model, data = toy
    given = ROWS.assign(id=["007", "008", "009"])
    found = tabular.embed_features(model, data.columns, given)
    expected = pd.DataFrame({"id": given["id"], **EXPECTED}, ROWS.index)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert (found.dtypes.iloc[1:] == "float32").all()


def test_embeddings_are_found_inside_models_of_raw_columns_and_means(toy):
    model, data = toy
    given = {
        one.name: keras.Input(one.shape[1:], name=one.name) for one in model.inputs
    }
    other = tabular.entity_embeddings(data, (4,), seed=1)
    other.name = "other"
    mean = keras.layers.Average()([one(given) for one in (model, other)])
    mean = keras.Model(given, mean)
    for network in (model, mean):
        raw = tabular.with_raw_columns(network, data.columns, data.target)
        found = tabular.embed_features(raw, data.columns, ROWS)
        assert found.to_dict("list") == EXPECTED


def test_what_embeds_nothing_is_refused(toy):
    model, data = toy
    network = tabular.mlp(data, seed=0)
    with pytest.raises(ValueError, match="`model` must embed categories.*'mlp', of 2"):
        tabular.embed_features(network, data.columns, ROWS)
    with pytest.raises(ValueError, match="New columns must have names.*'kind_1'"):
        tabular.embed_features(model, data.columns, ROWS.assign(kind_1=1))
    with pytest.raises(
        ValueError, match="must have the columns of the training.*without 'floor'"
    ):
        tabular.embed_features(model, data.columns, ROWS[["kind"]])
    with pytest.raises(ValueError, match="`model` must be a network for 'HistGrad"):
        tabular.peer_answers(data, f"HistGradientBoosting{EMBEDDED}")


def test_trees_learn_from_embeddings_what_codes_do_not_say():
    """A category of 200 values tells the answer; rows of one are few."""
    rng = np.random.default_rng(0)
    store = rng.integers(0, 200, 1000)
    level = rng.normal(size=200)
    frame = pd.DataFrame({"store": store, "y": level[store]})
    data = tabular.TableData.from_frame(frame, "y", ["store"], [], seed=0)
    model = tabular.entity_embeddings(data, (4,), seed=0)
    width = model.get_layer("embedding1").output_dim
    known = data.columns.categories[0].values
    weights = np.zeros((1 + len(known), width))
    weights[1:, 0] = level[list(known)]  # as if it had been learned
    model.get_layer("embedding1").set_weights([weights])
    way = "HistGradientBoosting"
    table = tabular.peer_scores(data, [way, f"{way}{EMBEDDED}"], model)
    assert table.loc[f"{way}{EMBEDDED}", "rmse"] < 0.5 * table.loc[way, "rmse"]


def test_peers_that_are_not_installed_are_left_out(monkeypatch):
    assert ("LightGBM" in tabular.installed_peers()) == bool(find_spec("lightgbm"))
    monkeypatch.setattr("kerasdl.tabular.peers.find_spec", lambda name: None)
    assert tabular.installed_peers() == [
        *("mean", "HistGradientBoosting", f"HistGradientBoosting{EMBEDDED}")
    ]
