"""A finished run: its files, its report, and who asks it."""

import json
import sys

import keras
import numpy as np
import pytest

import kerasdl
from kerasdl import tabular
from kerasdl.runs import run_folder
from kerasdl.workbench import adamw


def finished(folder, data, seed=1):
    """A run of a small network that is trained a little."""
    model = tabular.entity_embeddings(data, (8,), seed=seed)
    learn = tabular.Learner(model, data, optimizer=keras.optimizers.Adam(0.02))
    history = learn.fit(0.02, cycle_len=2)
    with run_folder(folder, {}, seed=seed) as run:
        tabular.write_run_files(run, model, data, history, "Shops", time="day")
    return model


@pytest.fixture(scope="module")
def sales_run(tmp_path_factory, shops):
    """A run of a number, its network and its data."""
    options = {"scale": "log", "batch_size": 64, "seed": 0}
    columns = ["store", "kind", "since"], ["distance", "open"]
    data = tabular.TableData.from_frame(shops, "sales", *columns, **options)
    folder = tmp_path_factory.mktemp("sales") / "run"
    return folder, finished(folder, data), data


@pytest.fixture(scope="module")
def size_run(tmp_path_factory, shops):
    """A run of two classes."""
    data = tabular.TableData.from_frame(
        shops, "size", ["store", "kind"], ["distance"], batch_size=64, seed=0
    )
    folder = tmp_path_factory.mktemp("size") / "run"
    finished(folder, data)
    return folder


def test_a_run_answers_every_row_in_its_order(sales_run, shops, tmp_path):
    folder, model, data = sales_run
    rows = shops.sample(frac=1, random_state=0)
    predictor = kerasdl.load(folder)
    assert isinstance(predictor, tabular.Predictor)
    found = predictor.predict(rows)
    assert found.index.equals(rows.index)
    expected = tabular.predict(model, data, rows)
    np.testing.assert_allclose(found["prediction"], expected, 1e-5)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    again = predictor.predict(tmp_path / "rows.csv")
    np.testing.assert_allclose(again["prediction"], expected, 1e-5)
    assert predictor.predict(rows.iloc[:0])["prediction"].tolist() == []


def test_classes_have_a_probability(size_run, shops):
    found = tabular.Predictor.load(size_run).predict(shops)
    assert set(found["prediction"]) <= {"large", "small"}
    assert found["probability"].between(0.5, 1).all()
    assert (size_run / "labels.txt").read_text() == "large\nsmall\n"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"kind": 3}, "Column 'kind' must hold text, as in training.*3 in row 1000"),
        ({"store": "x"}, "Column 'store' must hold numbers.*'x' in row 1000"),
        ({"store": 2.5}, "Column 'store' must hold whole numbers"),
        ({"open": "yes"}, "Column 'open' must hold numbers"),
        ({"prediction": 1}, "no column of an answer's name.*prediction"),
    ],
)
def test_rows_of_another_type_are_named(sales_run, shops, change, match):
    with pytest.raises(ValueError, match=match):
        tabular.Predictor.load(sales_run[0]).predict(shops.assign(**change))


def test_a_missing_column_is_named(sales_run, shops):
    with pytest.raises(
        ValueError, match="`table` must have the columns of.*without 'open'"
    ):
        tabular.Predictor.load(sales_run[0]).predict(shops.drop(columns="open"))


@pytest.mark.parametrize("table", [None, [{"store": 1}], {"store": 1}])
def test_what_is_no_table_is_refused(sales_run, table):
    with pytest.raises(ValueError, match="`table` must be a DataFrame or a CSV file"):
        tabular.Predictor.load(sales_run[0]).predict(table)


def test_a_run_of_another_task_is_refused(tmp_path):
    with run_folder(tmp_path / "run", {}, seed=1) as run:
        run.manifest["task"] = "text"
    with pytest.raises(ValueError, match="must be one of tabular"):
        tabular.Predictor.load(tmp_path / "run")


def test_check_rows_are_answered_alike(sales_run):
    folder, _, data = sales_run
    checked = json.loads((folder / "check_rows.json").read_text())
    answers = checked.pop("prediction")
    rows = [
        dict(zip(checked, row, strict=True))
        for row in zip(*checked.values(), strict=True)
    ]
    frame = tabular.frame_of_rows(rows, data.columns)
    found = tabular.Predictor.load(folder).predict(frame)["prediction"]
    np.testing.assert_allclose(found, answers, 1e-5)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ({"store": 1}, "rows must be a list of objects"),
        ([{"store": 1}], "row 0 must have kind, since, distance, open"),
        (
            [dict.fromkeys(["store", "kind", "since", "distance", "open"], [1])],
            "row 0 must have text, a",
        ),
        (
            [dict.fromkeys(["store", "kind", "since", "distance", "open"], 1)]
            + [dict.fromkeys(["store", "kind", "since", "distance", "open"], "\ud800")],
            r"row 1 must have text, a .* for store. Received: '\\ud800'",
        ),
    ],
)
def test_rows_of_json_that_are_none(sales_run, rows, match):
    with pytest.raises(ValueError, match=match):
        tabular.frame_of_rows(rows, sales_run[2].columns)


def test_the_code_of_the_card_runs(sales_run, monkeypatch, capsys):
    folder, _, _ = sales_run
    monkeypatch.chdir(folder)
    monkeypatch.setitem(sys.modules, "kerasdl", None)  # it cannot be imported
    parts = (folder / "README.md").read_text().split("```python\n")[1:]
    code = "\n".join(part.split("```")[0] for part in parts)
    exec(compile(code, "card", "exec"), {})
    checked = json.loads((folder / "check_rows.json").read_text())["prediction"]
    printed = capsys.readouterr().out
    lite = float(printed.strip().splitlines()[-1].strip("[]"))
    assert lite == pytest.approx(checked[0], rel=1e-4)


def test_the_report_has_its_sections(sales_run, size_run):
    text = (sales_run[0] / "report.html").read_text()
    for name in ("Result", "Answers", "What they depend on", "Embeddings", "Training"):
        assert f">{name}</h2>" in text
    assert "Errors by kind" in text and "<script" not in text
    assert ">Classes</h2>" in (size_run / "report.html").read_text()


def test_a_column_of_holes_in_validation_is_in_the_report(tmp_path, shops):
    rows = shops.assign(distance=shops["distance"].where(shops["day"] < "2014-03-01"))
    data = tabular.TableData.from_frame(
        rows,
        "sales",
        [],
        ["distance", "open"],
        valid_after=("day", "2014-09-01"),
        seed=0,
    )
    assert data.rows("valid")["distance"].isna().all()
    model = tabular.mlp(data, (4,), seed=0)
    tabular.save_report(model, data, tmp_path / "report.html")
    assert "dependence on distance" in (tmp_path / "report.html").read_text()


def test_a_column_that_decides_is_important(shops):
    columns = tabular.Columns.of(shops, ["kind"], ["distance"])
    truth = (shops["kind"] == "a").to_numpy("float64")
    found = tabular.explain.importance(
        lambda frame: (frame["kind"] == "a").to_numpy("float64"),
        shops,
        columns,
        truth,
        tabular.rmse,
        seed=0,
    )
    assert list(found.index) == ["kind", "distance"]
    shuffled = (2 * truth.mean() * (1 - truth.mean())) ** 0.5  # of a fair shuffle
    assert found.loc["kind", "importance"] == pytest.approx(shuffled, rel=0.1)
    assert found.loc["distance", "importance"] == 0


@pytest.mark.parametrize("name", ["distance", "self"])  # one of pandas's arguments
def test_partial_dependence_sets_a_column(shops, name):
    def answer(frame):
        return 2 * frame[name].to_numpy() + (frame["kind"] == "a")

    rows = shops.fillna({"distance": 0}).rename(columns={"distance": name})
    found = tabular.explain.partial_dependence(answer, rows, name, [1, 4], 1000, seed=0)
    share = (rows["kind"] == "a").mean()
    np.testing.assert_allclose(found, [2 + share, 8 + share])


def test_peers_are_scored_on_the_same_rows(of_shops):
    data = of_shops(scale="log")
    found = tabular.peer_scores(data, seed=0)
    truth = data.rows("valid")["sales"]
    middle = np.exp(np.log(data.rows("train")["sales"]).mean())
    assert found.loc["mean", "rmse"] == pytest.approx(
        ((truth - middle) ** 2).mean() ** 0.5
    )
    assert found.loc["HistGradientBoosting", "rmse"] < 0.7 * found.loc["mean", "rmse"]
    classes = tabular.peer_scores(of_shops("size"), seed=0)
    assert classes.loc["mean", "accuracy"] == 0.5
    assert classes.loc["HistGradientBoosting", "accuracy"] > 0.8
    with pytest.raises(ValueError, match="`name` must be one of"):
        tabular.peer_answers(data, "forest")


def test_a_learner_trains_scores_and_exports(of_shops, tmp_path):
    data = of_shops(scale="log", batch_size=64)
    learn = tabular.Learner(tabular.mlp(data, (8,), seed=0), data)
    before = learn.scores()["rmse"]
    learn.fit(0.02, cycle_len=3)
    assert learn.scores()["rmse"] < before
    assert learn.predict().shape == (60,)
    learn.export(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    found = tabular.Predictor(loaded, data.columns, data.target).predict(data.frame)
    np.testing.assert_allclose(found["prediction"], learn.predict(data.frame), 1e-5)
    with pytest.raises(ValueError, match="`path` must be one of '.keras', '.tflite'"):
        learn.export(tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="`data` must be a TableData.*a dict"):
        tabular.Learner(learn.model, {})


def test_a_killed_training_ends_with_the_same_weights(of_shops, tmp_path):
    def trained(folder, *callbacks):
        data = of_shops(scale="log", batch_size=64)
        network = tabular.mlp(data, (8,), 0.1, seed=0)
        learn = tabular.Learner(network, data, folder, optimizer=adamw(0.02, 0.1))
        learn.fit(0.02, cycle_len=3, callbacks=callbacks, resume=True)
        return learn.model.get_weights()

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "cut", Stop())
    whole = trained(tmp_path / "whole")
    for one, other in zip(trained(tmp_path / "cut"), whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_every_format_of_an_export_answers_alike(sales_run, size_run, tmp_path):
    for name, folder in (("sales", sales_run[0]), ("size", size_run)):
        out = tmp_path / name
        table = tabular.export_run(folder, out=out)
        assert list(table.index) == ["keras", "saved_model", "tflite", "onnx"]
        assert table["difference"].max() < 1e-5
        assert (out / "tables.json").is_file()
    with pytest.raises(ValueError, match="`out` must not exist"):
        tabular.export_run(folder, out=out)
    with pytest.raises(ValueError, match="`formats` must be one of"):
        tabular.export_run(folder, ["int8"], out=tmp_path / "other")
