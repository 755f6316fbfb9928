"""Networks by their parameters, and what leaves in a plain Keras."""

import json
import math
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn import metrics

from kerasdl import tabular


@pytest.fixture
def network(of_shops):
    """A network with a range, and its data on a logarithm."""
    data = of_shops(scale="log")
    model = tabular.entity_embeddings(data, (8,), y_range=(0.05, 50.0), seed=1)
    return model, data


def answers(model, data, frame):
    """The answers of a network to raw rows, by way of the data's own encoding."""
    codes, numbers = data.columns.encode(frame)
    outputs = model.predict_on_batch({"categories": codes, "numbers": numbers})
    return data.target.decode(outputs)


def test_the_course_network_has_its_parameters():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 14)))
    frame = frame.rename(columns=str)
    names = [str(place) for place in range(13)]
    data = tabular.TableData.from_frame(frame, "13", [], names, seed=0)
    assert tabular.mlp(data, seed=0).count_params() == 1501
    assert tabular.linear(data, seed=0).count_params() == 14


@pytest.mark.parametrize(
    ("sizes", "widths"), [("lesson", [7, 2, 2]), ("fastai", [7, 3, 3])]
)
def test_embeddings_have_the_width_of_the_rule(of_shops, sizes, widths):
    model = tabular.entity_embeddings(of_shops(), (4,), sizes=sizes, seed=0)
    found = [model.get_layer(f"embedding{place}").output_dim for place in (1, 2, 3)]
    counts = [13, 4, 4]  # with what is unknown, and holes
    by_fastai = [min(600, round(1.6 * count**0.56)) for count in counts]
    assert found == widths and by_fastai == [7, 3, 3]


def test_one_seed_gives_the_same_weights(of_shops):
    one, same, other = (
        tabular.entity_embeddings(of_shops(), (4,), seed=seed) for seed in (1, 1, 2)
    )
    assert all(map(np.array_equal, one.get_weights(), same.get_weights()))
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])


def test_a_linear_network_is_a_linear_regression(of_shops, shops):
    data = of_shops(scale="log")
    model = tabular.linear(data, seed=0)
    inputs, _ = data.arrays("train")
    hot = [
        np.eye(count)[inputs["categories"][:, p]] for p, count in enumerate((13, 4, 4))
    ]
    x = np.concatenate([*hot, inputs["numbers"]], axis=1)
    weights, bias = model.get_weights()
    np.testing.assert_allclose(
        model.predict_on_batch(inputs), x @ weights + bias, 1e-4, 1e-5
    )


def test_periodic_features_are_sines_and_cosines(of_shops):
    data = of_shops()
    model = tabular.tabular_resnet(data, 1, 8, 8, frequencies=3, seed=0)
    inputs, _ = data.arrays("valid")
    waves = keras.Model(model.inputs, model.get_layer("of_each_number").input)
    c = model.get_layer("frequencies").get_weights()[0]
    angles = inputs["numbers"][:, :, None] * c
    expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)
    np.testing.assert_allclose(waves.predict_on_batch(inputs), expected, atol=1e-5)


@pytest.mark.parametrize("build", [tabular.linear, tabular.mlp, tabular.tabular_resnet])
def test_every_network_learns(of_shops, build):
    data = of_shops(scale="log", batch_size=64)
    model = build(data, seed=0)
    model.compile(keras.optimizers.Adam(0.02), "mse")
    before = model.evaluate(data.valid, verbose=0)
    model.fit(data.train, epochs=8, verbose=0)
    assert model.evaluate(data.valid, verbose=0) < 0.6 * before


def test_answers_stay_in_their_range(network):
    model, data = network
    numbers = np.full((1, 3), 1e6, "float32")
    rows = {"categories": np.zeros((1, 3), "int32"), "numbers": numbers}
    ends = [
        data.target.decode(model.predict_on_batch(rows | {"numbers": sign * numbers}))
        for sign in (1, -1)
    ]
    for end in ends:
        assert min(abs(end - 0.05), abs(end - 50)) < 1e-3


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"layers": ()}, "`layers` must have one at least"),
        ({"layers": (0,)}, "`layers` must be an integer"),
        ({"layers": (4,), "dropout": (0.1, 0.2)}, "`dropout` must be a rate"),
        ({"embedding_dropout": 1.0}, "`dropout` must be a rate"),
        ({"sizes": "large"}, "`sizes` must be one of"),
        ({"y_range": (2, 1)}, "`y_range` must be lowest and highest"),
        ({"y_range": (0, 1)}, "`y_range` must be .*above 0"),
    ],
)
def test_wrong_options_of_a_network(of_shops, options, match):
    with pytest.raises(ValueError, match=match):
        tabular.entity_embeddings(of_shops(scale="log"), **options)


def test_a_range_is_for_numbers(of_shops):
    with pytest.raises(ValueError, match="`y_range` must be None for classes"):
        tabular.entity_embeddings(of_shops("size"), (4,), y_range=(0, 1))
    with pytest.raises(ValueError, match="`blocks` must be"):
        tabular.tabular_resnet(of_shops(), blocks=0)


def odd(frame):
    """Rows with what training did not know."""
    rows = frame.iloc[:4].astype({"store": "float64"})
    rows.loc[rows.index[0], "store"] = 77
    rows.loc[rows.index[1], "store"] = np.nan
    rows.loc[rows.index[2], "kind"] = "other"
    rows.loc[rows.index[3], "kind"] = None
    return pd.concat([frame, rows])


def test_raw_columns_in_a_file_of_plain_keras(network, shops, tmp_path):
    model, data = network
    path = tmp_path / "model.keras"
    tabular.save_inference_model(model, path, data.columns, data.target)
    with zipfile.ZipFile(path) as archive:
        assert b"kerasdl" not in archive.read("config.json")
    loaded = keras.saving.load_model(path)
    rows = odd(shops)
    found = tabular.Predictor(loaded, data.columns, data.target).predict(rows)
    np.testing.assert_allclose(found["prediction"], answers(model, data, rows), 1e-5)
    assert found.drop(columns="prediction").equals(rows)


def test_numbers_that_are_no_category_are_unknown(network):
    model, data = network
    raw = tabular.with_raw_columns(model, data.columns, data.target)
    row = {"kind": [["a"]], "since": [[1999.0]], "distance": [[1.0]], "open": [[1.0]]}

    def answer(store):
        given = {name: tf.constant(value) for name, value in row.items()}
        return raw.predict_on_batch(given | {"store": tf.constant([[store]])}).item()

    assert {answer(store) for store in (2.5, 1e30, -1e30, 77.0)} == {answer(math.nan)}
    assert answer(2.0) != answer(77.0)


def test_a_saved_model_takes_columns_by_name(network, shops, tmp_path):
    model, data = network
    tabular.save_saved_model(model, tmp_path / "saved", data.columns, data.target)
    serve = tf.saved_model.load(tmp_path / "saved").signatures["serve"]
    rows = tabular.plain_rows(shops.iloc[:5], data.columns)
    given = {
        name: tf.constant([[math.nan if v is None else v] for v in values])
        for name, values in rows.items()
    }
    found = serve(**given)["prediction"].numpy()[:, 0]
    np.testing.assert_allclose(found, answers(model, data, shops.iloc[:5]), 1e-5)


def test_a_lite_file_and_its_tables_answer_alike(network, shops, tmp_path):
    model, data = network
    tabular.save_tflite(model, tmp_path / "model.tflite", data.columns, data.target)
    tabular.save_tables(tmp_path / "tables.json", data.columns, data.target)
    columns, target = tabular.read_tables(tmp_path / "tables.json")
    assert (columns, target) == (data.columns, data.target)
    lite = tf.lite.Interpreter(str(tmp_path / "model.tflite")).get_signature_runner()
    codes, numbers = columns.encode(odd(shops).iloc[-4:])
    found = [
        lite(categories=code[None], numbers=number[None])["prediction"].item()
        for code, number in zip(codes, numbers, strict=True)
    ]
    np.testing.assert_allclose(found, answers(model, data, odd(shops).iloc[-4:]), 1e-4)


def test_damaged_tables_are_named(tmp_path):
    (tmp_path / "tables.json").write_text(json.dumps({"columns": 1}))
    with pytest.raises(ValueError, match="must be a tables.json.*tables.json"):
        tabular.read_tables(tmp_path / "tables.json")


def test_measures_are_those_of_scikit_learn(rng):
    truth, found = rng.uniform(1, 5, 40), rng.uniform(1, 5, 40)
    scored = tabular.measures(truth, found)
    assert scored == pytest.approx(
        {
            "rmse": metrics.root_mean_squared_error(truth, found),
            "mae": metrics.mean_absolute_error(truth, found),
            "r2": metrics.r2_score(truth, found),
            "mape": metrics.mean_absolute_percentage_error(truth, found),
            "exp_rmspe": np.sqrt(np.mean((found / truth - 1) ** 2)),
        }
    )
    assert "mape" not in tabular.measures([0, 1], [1, 1])
    assert math.isnan(tabular.r2([1, 1], [1, 2]))
    with pytest.raises(ValueError, match="`truth` must hold no 0.*1 of 2"):
        tabular.exp_rmspe([0, 1], [1, 1])
    with pytest.raises(ValueError, match="must be as many.*1 and 2"):
        tabular.rmse([0], [1, 1])
