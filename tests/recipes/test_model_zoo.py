import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "model_zoo.py"
ROW = {
    "network": "lenet5",
    "dataset": "mnist",
    "test_accuracy": 0.98,
    "parameters": 61_706,
    "minutes": 3,
}


@pytest.fixture
def recipe():
    spec = importlib.util.spec_from_file_location("model_zoo", RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def finished_run(folder, results):
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"results": results}))
    return str(folder)


def test_the_table_and_its_pictures(recipe, tmp_path, capsys):
    out = tmp_path / "zoo"
    recipe.main(["--networks", "vgg16", "lenet5", "--out", str(out)])
    assert sorted(path.name for path in out.iterdir()) == [
        "manifest.json",
        "memory_cost.png",
        "networks.csv",
        "size_cost.png",
    ]
    table = pd.read_csv(out / "networks.csv")
    assert table["network"].tolist() == ["lenet5", "vgg16"]
    assert table["parameters"].tolist() == [61_706, 138_357_544]
    manifest = json.loads((out / "manifest.json").read_text())
    rows = manifest["results"]["networks"]
    assert [row["multiply_adds"] for row in rows] == table["multiply_adds"].tolist()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["vgg16", "2014", "224x224x3", "16", "138.36", "15,470.26"] in [
        line[:6] for line in lines
    ]


def test_accuracies_of_runs_and_of_a_file(recipe, tmp_path, capsys):
    out = tmp_path / "zoo"
    second = {**ROW, "dataset": "fashion_mnist", "test_accuracy": 0.9}
    runs = [
        finished_run(tmp_path / "one", [ROW, second]),
        finished_run(tmp_path / "two", [{**second, "test_accuracy": 0.91}]),
    ]
    pd.DataFrame([{**second, "network": "vgg11"}]).to_csv(tmp_path / "more.csv")
    arguments = ["--runs", *runs, "--results", str(tmp_path / "more.csv")]
    recipe.main(["--networks", "lenet5", *arguments, "--out", str(out)])
    names = {path.name for path in out.iterdir()}
    assert {"accuracy_mnist.png", "accuracy_fashion_mnist.png"} <= names
    table = pd.read_csv(out / "results.csv")
    assert table["test_accuracy"].tolist() == [0.98, 0.9, 0.91, 0.9]
    assert table["source"].tolist() == ["one", "one", "two", "more"]
    assert "0.91" in capsys.readouterr().out


def test_one_input_shape(recipe, tmp_path):
    out = tmp_path / "zoo"
    arguments = ["--networks", "lenet5", "--input-shape", "32", "32", "3"]
    recipe.main([*arguments, "--out", str(out)])
    assert pd.read_csv(out / "networks.csv")["input_shape"].tolist() == ["(32, 32, 3)"]


def test_bad_input_leaves_no_folder(recipe, tmp_path):
    empty = finished_run(tmp_path / "empty", {"valid": 0.9})
    partial = finished_run(tmp_path / "cut.partial", [ROW])
    pd.DataFrame([{"network": "lenet5"}]).to_csv(tmp_path / "few.csv")
    few, out = str(tmp_path / "few.csv"), str(tmp_path / "zoo")
    for arguments, message in (
        (["--networks", "resnet"], "`networks` must be one of 'alexnet'"),
        (["--runs", str(tmp_path)], "`runs` must be finished runs. Received: runs="),
        (["--runs", partial], "`runs` must be finished runs"),
        (["--runs", empty], "`runs` must have rows of network, dataset, test_acc"),
        (["--results", few], r"rows of .* \(without dataset, test_accuracy, param"),
        (["--results", out], "`results` must be an existing CSV file"),
    ):
        with pytest.raises(ValueError, match=message):
            recipe.main([*arguments, "--out", out])
    assert not list(tmp_path.glob("zoo*"))
