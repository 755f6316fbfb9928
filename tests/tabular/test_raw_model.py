"""What a model of raw columns answers where names, values and precision are odd."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from kerasdl import tabular
from kerasdl.runs import run_folder


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"x": rng.normal(size=40), "c": ["a", "b"] * 20, "y": rng.normal(50, 9, 40)}
    )


def both_answers(frame, **options):
    """Of the network to encoded rows, and of the model to raw ones."""
    data = tabular.TableData.from_frame(
        frame, "y", seed=0, task="regression", **options
    )
    model = tabular.mlp(data, (4,), seed=0)
    raw = tabular.with_raw_columns(model, data.columns, data.target)
    predictor = tabular.Predictor(raw, data.columns, data.target)
    rows = data.rows("valid")
    return tabular.predict(model, data, rows), predictor.answer(rows)[:, 0]


def test_it_says_what_it_is(frame):
    data = tabular.TableData.from_frame(frame, "y", seed=0, task="regression")
    raw = tabular.with_raw_columns(
        tabular.mlp(data, (4,), seed=0), data.columns, data.target
    )
    told = repr(tabular.Predictor(raw, data.columns, data.target))
    assert told.startswith("Predictor\n  network  ")
    assert told.endswith("  target   y\n  columns  c, x")


@pytest.fixture
def half():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("half")
def test_raw_columns_keep_their_digits_beside_a_half_network(frame):
    frame["x"] += 1000  # of which bfloat16 leaves steps of 4 around a spread of 1
    expected, found = both_answers(frame)
    np.testing.assert_allclose(found, expected, atol=0.3)  # 0.03 of the spread
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


@pytest.mark.usefixtures("half")
@pytest.mark.parametrize("target", ["y", "c"])
def test_answers_of_a_half_network_have_all_digits(frame, target):
    data = tabular.TableData.from_frame(frame, target, seed=0)
    for build in (tabular.linear, tabular.mlp, tabular.tabular_resnet):
        model = build(data, seed=0)
        assert model.output.dtype == "float32"
        answers = tabular.predict(model, data, data.frame)
        halves = keras.ops.cast(keras.ops.cast(answers, "bfloat16"), "float32")
        assert (np.asarray(halves) != answers).mean() > 0.5
    if target == "y":
        model = tabular.entity_embeddings(data, (4,), y_range=(0, 90), seed=0)
        assert model.output.dtype == "float32"


@pytest.mark.parametrize(
    "name", ["unit", "standardised", "code1", "mlp", "encoded_columns", "where"]
)
def test_columns_may_have_names_of_layers(frame, name):
    expected, found = both_answers(frame.rename(columns={"x": name}))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_saved_model_has_columns_of_any_name(frame, tmp_path):
    names = ["größe m", "Größe M", "a b", "a_b", "A_b", "_x", "self", "x", "two\nlines"]
    rng = np.random.default_rng(0)
    frame = frame[["c", "y"]].rename(columns={"c": "c:d"})
    frame[names] = rng.normal(size=(40, len(names)))
    data = tabular.TableData.from_frame(frame, "y", seed=0, task="regression")
    model = tabular.mlp(data, (4,), seed=0)
    tabular.save_saved_model(model, tmp_path / "saved", data.columns, data.target)
    tabular.save_tables(tmp_path / "tables.json", data.columns, data.target)
    inputs = json.loads((tmp_path / "tables.json").read_text())["inputs"]
    assert (inputs["A_b"], inputs["x"]) == ("A_b", "x")
    rows = data.rows("valid")
    serve = tf.saved_model.load(tmp_path / "saved").signatures["serve"]
    given = {
        inputs[name]: tf.constant(values)[:, None]
        for name, values in tabular.plain_rows(rows, data.columns).items()
    }
    found = serve(**given)["prediction"][:, 0]
    np.testing.assert_allclose(found, tabular.predict(model, data, rows), rtol=1e-5)


def test_a_run_with_columns_of_any_name_is_exported(frame, tmp_path):
    frame = frame.rename(columns={"x": "Life expectancy", "c": "self"})
    data = tabular.TableData.from_frame(frame, "y", seed=0, task="regression")
    model = tabular.mlp(data, (4,), seed=0)
    with run_folder(tmp_path / "run", {}, seed=1) as run:
        tabular.write_run_files(run, model, data, pd.DataFrame(), "Toy")
    table = tabular.export_run(tmp_path / "run", ["saved_model", "tflite"])
    assert table["difference"].max() < 1e-5


@pytest.mark.parametrize("name", ["prediction", "probability"])
def test_a_column_is_not_named_as_an_answer(frame, name, capsys):
    renamed = frame.rename(columns={"x": name})
    with pytest.raises(ValueError, match=f"must not be named as.*'{name}'. Rename"):
        both_answers(renamed, continuous=[name], categorical=["c"])
    both_answers(renamed.drop(columns=name).assign(x=0.5 * np.arange(40)))
    assert "left out" not in capsys.readouterr().out
    data = tabular.TableData.from_frame(renamed, "y", task="regression", seed=0)
    assert data.columns.names == ["c"]
    assert f"left out: {name}. Columns must not" in capsys.readouterr().out


def test_a_category_may_be_named_as_the_unknown_one(frame):
    frame["c"] = frame["c"].replace("a", "[unknown]")
    expected, found = both_answers(frame)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (1.7e9 + np.arange(40), "Column 'x' must spread by .*1.7e.*Subtract its small"),
        (3e-8 * np.arange(40), "Column 'x' must spread by at least 1e-06"),
        (1e-12 * np.arange(40), "Column 'x' must spread by at least 1e-06"),
        (1e20 * np.arange(40), "Column 'x' must hold finite numbers.*1e.20 in row"),
        (1e39 * np.arange(40), "Column 'x' must hold finite numbers.*1e.39 in row"),
    ],
)
def test_numbers_that_float32_does_not_tell_apart_are_refused(frame, values, match):
    with pytest.raises(ValueError, match=match):
        both_answers(frame.assign(x=values), continuous=["x"])


def test_small_and_large_numbers_are_answered_alike(frame):
    frame = frame.assign(small=1e-5 * np.arange(40.0), large=1e15 * np.arange(40.0))
    expected, found = both_answers(frame)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_run_whose_raw_model_answers_otherwise_is_not_finished(
    frame, tmp_path, monkeypatch
):
    data = tabular.TableData.from_frame(frame, "y", seed=0)
    model = tabular.mlp(data, (4,), seed=0)
    answer = tabular.Predictor.answer
    monkeypatch.setattr(
        tabular.Predictor, "answer", lambda self, rows: answer(self, rows) + 1
    )
    with (
        pytest.raises(RuntimeError, match="raw columns does not answer as the trained"),
        run_folder(tmp_path / "run", {}, seed=1) as run,
    ):
        tabular.write_run_files(run, model, data, pd.DataFrame(), "Toy")
