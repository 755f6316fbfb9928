"""Runs side by side, from the histories that they keep."""

import json
import re
import runpy
import shutil
from pathlib import Path

import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[2]
SAVED = REPOSITORY / "saved_models"


@pytest.fixture(scope="module")
def compare():
    return runpy.run_path(str(REPOSITORY / "recipes" / "compare_runs.py"))["main"]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs of digits that differ in their seed, and one of another kind."""
    monkeypatch.chdir(tmp_path)
    for name, seed, losses in (("one", 1, [0.5, 0.2, 0.3]), ("two", 2, [0.4, 0.1])):
        shutil.copytree(SAVED / "mnist_convnet", name)
        manifest = json.loads(Path(name, "manifest.json").read_text())
        Path(name, "manifest.json").write_text(json.dumps(manifest | {"seed": seed}))
        history = pd.DataFrame({"val_loss": losses, "loss": 0.25})
        history["epoch"] = range(1, len(history) + 1)
        history["learning_rate"] = [None, 0.1, 0.0][: len(history)]
        history["seconds"] = [9.0, 2.0, 4.0][: len(history)]
        history.to_csv(Path(name, "history.csv"), index=False)
    shutil.copytree("one", "three")
    table = pd.DataFrame({"loss": [None, 2.0], "mae": [0.5, 0.25], "map": [0.7, None]})
    table.to_csv("three/history.csv", index=False)
    return ["one", "two", "three"]


def test_best_epochs_curves_and_what_differs(compare, runs, capsys):
    compare(runs)
    header, *rows = capsys.readouterr().out.splitlines()[:4]
    columns = header.split()
    table = {
        row.split()[0]: dict(zip(columns, row.split()[1:], strict=True)) for row in rows
    }
    assert {name: row["best_epoch"] for name, row in table.items()} == {
        "one": "2",
        "two": "2",
        "three": "2",  # the last, as nothing was held out
    }
    assert float(table["one"]["val_loss"]) == 0.2
    assert float(table["one"]["seconds_an_epoch"]) == 4.0
    assert float(table["two"]["minutes"]) == pytest.approx(11 / 60, rel=1e-3)
    assert table["three"]["seconds_an_epoch"] == table["three"]["map"] == "–"
    assert table["three"]["highest_map"] == "0.7000"
    assert [name for name in columns if "highest" in name] == ["highest_map"]
    assert "epoch" not in columns  # of its stage: not that of best_epoch
    page = Path("compare.html").read_text()
    curves = re.findall("<figcaption>(.*?)<", page)
    assert curves == ["val_loss", "loss", "learning_rate", "mae", "map"]
    assert re.search(r"<th scope=\"row\">seed</th><td>1</td><td>2</td><td>1</td>", page)
    assert {*re.findall('<figure class="(.*?)"', page)} == {"chart"}  # three in a row
    assert ">epochs</th>" in page and ">--data" not in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_a_page_is_replaced_only_if_asked(compare, runs, capsys):
    Path("compare.html").write_text("mine")
    with pytest.raises(SystemExit, match="2"):
        compare(runs)
    assert "--overwrite replaces it" in capsys.readouterr().err
    assert Path("compare.html").read_text() == "mine"
    compare([*runs, "--overwrite"])
    assert Path("compare.html").read_text() != "mine"


def test_bad_input(compare, runs):
    Path("three/history.csv").write_text("loss,val_loss\n")
    with pytest.raises(ValueError, match="RUN must have epochs in history.csv.* three"):
        compare(["one", "three"])
    Path("two/history.csv").unlink()
    with pytest.raises(ValueError, match="RUN must hold history.csv. Received: two"):
        compare(runs)
    with pytest.raises(ValueError, match="images that one was made of must be where"):
        compare(["one"])  # its digits are not here
    with pytest.raises(ValueError, match="`path` must be an existing run folder"):
        compare(["one", "none"])


def test_a_page_of_another_kind_is_not_made_anew(compare, runs):
    manifest = json.loads(Path("one/manifest.json").read_text())
    Path("one/manifest.json").write_text(json.dumps(manifest | {"task": "tabular"}))
    with pytest.raises(ValueError, match="RUN must be of photos .* a run of tabular"):
        compare(["one"])
    compare(["one", "two"])  # but it is compared
