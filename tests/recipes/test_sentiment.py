"""The recipe of texts, and predict.py on its run."""

import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest

import kerasdl as kd

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def load():
    def load(name):
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(RECIPES))
            spec = importlib.util.spec_from_file_location(name, RECIPES / f"{name}.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="module")
def run(load, tmp_path_factory):
    """A quick run of the default on a file, and what it printed of columns."""
    folder = tmp_path_factory.mktemp("sentiment")
    frame = kd.text.write_reviews(160, seed=0)
    pd.concat([frame, frame.iloc[:20]]).to_csv(folder / "a.csv.gz", index=False)
    args = ["--data", str(folder / "a.csv.gz"), "--quick", "--seed", "1"]
    load("sentiment").main([*args, "--out", str(folder / "run")])
    return folder / "run"


def test_the_default_keeps_a_blend_beside_tf_idf(run):
    results = json.loads((run / "manifest.json").read_text("utf-8"))["results"]
    rows = {row["model"]: row for row in results["models"]}
    assert set(rows) == {
        *("nbsvm", "text_cnn", "blend"),
        *("TF-IDF characters", "TF-IDF words"),
    }
    assert results["best"] == "blend"
    assert results["accuracy"] == rows["blend"]["accuracy"]
    assert rows["text_cnn"]["parameters"] > 1000
    for name in ("report.html", "curves.png", "labels.txt", "text.json", "README.md"):
        assert (run / name).is_file()
    assert not (run / "state").exists()
    assert json.loads((run / "manifest.json").read_text())["data"]["rows"] == 160


def test_predict_answers_each_row_of_files_of_other_columns(
    run, load, tmp_path, capsys
):
    predict = load("predict")
    given = ["味道很好，推荐给大家", "", "服务太差\n再也不来了", "NA"]
    rows = pd.DataFrame({"id": list("abcd"), "said": given})
    rows.to_csv(tmp_path / "a.csv", index=False)
    out = tmp_path / "answers.csv"
    asked = [str(run), str(tmp_path / "a.csv"), "--csv", str(out)]
    with pytest.raises(SystemExit, match="2"):
        predict.parse_args([str(run), str(tmp_path / "no.csv")])
    assert predict.main(asked) == 2  # id or said
    assert not out.exists()
    capsys.readouterr()
    assert predict.main([*asked, "--text-column", "said"]) == 0
    shown = [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["味道很好，推荐给大家", "", "服务太差 再也不来了", "NA"]
    found = pd.read_csv(out, keep_default_na=False, dtype={"label": str})
    assert list(found) == ["said", "label", "probability"]
    assert found["said"].tolist() == given
    assert found["label"].isin(["0", "1"]).all()
    assert found["probability"].between(0.5, 1).all()
    expected = kd.text.Predictor.load(run).predict(given)
    assert found["label"].tolist() == expected["label"].tolist()
    (tmp_path / "a.txt").write_text("很好\n太差\n", "utf-8")
    asked = [str(run), str(tmp_path / "a.txt"), "--csv", str(out)]
    assert predict.main(asked) == 0
    assert pd.read_csv(out)["text"].tolist() == ["很好", "太差"]
    (tmp_path / "b.csv").write_text("很好\n", "gb18030")
    assert predict.main([str(run), str(tmp_path / "b.csv")]) == 2
    error = capsys.readouterr().err
    assert "error: FILE must be text in utf-8. Received: FILE '" in error
    assert "read as GB18030: pass --encoding gb18030.\n" in error


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--data", "no.csv"], "existing file"),
        (["--data", "{a}", "--encoding", "klingon"], "`encoding` must be"),
        (["--data", "{b}"], "GB18030: pass encoding='gb18030' \\(--encoding gb18030"),
        (["--data", "{a}", "--text-column", "no"], "text_column='no'"),
        (
            ["--data", "{none}", "--quick"],
            "`frame` must be a DataFrame with.*of 0 rows",
        ),
        (["--data", "{a}", "--valid-data", "no.csv"], "`valid_data` must be an exist"),
    ],
)
def test_bad_files_are_refused_before_any_work(load, tmp_path, options, match):
    frame = kd.text.write_reviews(20, seed=0)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "b.csv", index=False, encoding="gb18030")
    frame.head(0).to_csv(tmp_path / "none.csv", index=False)
    files = {name: tmp_path / f"{name}.csv" for name in ("a", "b", "none")}
    options = [option.format(**files) for option in options]
    with pytest.raises(ValueError, match=match):
        load("sentiment").main([*options, "--out", str(tmp_path / "run")])
    assert not list(tmp_path.glob("run*"))


@pytest.mark.parametrize(
    "options",
    [
        ["--test-data", "b.csv"],
        ["--stop-words", "words.txt"],
        ["--model", "bert"],
        ["--valid", "1"],
        ["--data", ".", "--text-column", "a"],
        ["--data", "a.csv", "--valid-data", "b.csv", "--valid", "0.2"],
        ["--data", "a.csv", "--test-data", "b.csv", "--test", "0.2"],
        ["--model", "nbsvm", "--epochs", "3"],
        ["--lr-find", "--learning-rate", "0.1"],
        ["--pretrain", "2"],
        ["--model", "gru", "--unlabelled", "a.txt"],
        ["--model", "all", "--valid", "0", "--test", "0.2"],
    ],
)
def test_arguments_that_do_not_go_together(load, options):
    with pytest.raises(SystemExit, match="2"):
        load("sentiment").parse_args(options)


def test_quick_takes_of_each_class_and_split_its_share(load):
    rows = [("a", "train")] * 900 + [("b", "train")] * 90 + [("c", "test")] * 10
    table = pd.DataFrame(rows, columns=["class", "split"]).assign(review="x")
    few = load("sentiment")._sentiment._some(table, (None, None), ["split"], 100, 1)
    assert few["class"].value_counts().to_dict() == {"a": 90, "b": 9, "c": 1}
    assert few.index.is_monotonic_increasing


def test_beside_a_test_the_best_is_chosen_on_validation_texts(load, tmp_path):
    """Which are drawn of the training file."""
    recipe = load("sentiment")
    frame = kd.text.write_reviews(100, seed=0).rename(columns={"review": "said"})
    for name, rows in (("a", frame.iloc[:70]), ("b", frame.iloc[70:])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    files = {"--data": "a", "--test-data": "b"}
    options = [part for o, n in files.items() for part in (o, f"{tmp_path}/{n}.csv")]
    args = recipe.parse_args([*options, "--valid", "0.2"])
    data = recipe._sentiment.make_data(args, recipe._sentiment.read(args), 1)
    assert [len(data.rows(split)) for split in ("valid", "test")] == [14, 30]
    assert data.text_column == "said"
    steps = recipe._sentiment.TextSteps(args, data, run=None)
    assert steps.split == "test"
    steps.networks["x"] = network = kd.text.nbsvm(data)
    scored = steps._scores(network)
    valid, test = (
        kd.text.scores(data.labels(s), kd.text.answer_tokens(network, data.encoded(s)))
        for s in ("valid", "test")
    )
    assert scored == test | {"valid_accuracy": valid["accuracy"]}
    steps.networks["y"] = network
    steps.add("x", {"accuracy": 0.9, "valid_accuracy": 0.7})
    steps.add("y", {"accuracy": 0.8, "valid_accuracy": 0.8})
    steps.add("TF-IDF", {"accuracy": 1.0})
    assert steps.best_network() == "y"
