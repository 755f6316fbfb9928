"""The photo recipe on folders and files of labels of several kinds."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from kerasdl import Predictor, runs, workbench

RECIPE = Path(__file__).parents[2] / "recipes" / "cats_dogs_finetune.py"


def recipe(name):
    return runpy.run_path(str(RECIPE.with_name(f"{name}.py")))["main"]


def result_of(page):
    return page.partition('id="section-1"')[2].partition('id="section-2"')[0]


@pytest.fixture
def train(recipes_path, tmp_path, tiny_backbone):
    """A function that runs the recipe on photos as little as it can."""
    main = recipe(RECIPE.stem)

    def run(*argv):
        small = ["--image-size", "32", "--backbone", tiny_backbone, "--quick"]
        places = ["--cache", str(tmp_path / "cache"), "--seed", "1"]
        main([*map(str, argv), *small, *places], name=None)

    return run


@pytest.fixture
def photos(bright_and_dark):
    return bright_and_dark(32, flowers=10)


@pytest.mark.parametrize(
    ("folders", "counts"),
    [
        ({"train": 10, "val": 4}, {"train": 20, "valid": 8}),
        ({"train": 10, "validation": 4}, {"train": 20, "valid": 8}),
        ({"train": 10, "dev": 4, "test": 3}, {"train": 20, "valid": 8, "test": 6}),
        ({"train": 10}, {"train": 16, "valid": 4}),
        ({"train": 10, "test": 3}, {"train": 16, "valid": 4, "test": 6}),
        ({"": 10}, {"train": 16, "valid": 4}),
    ],
)
def test_splits_of_several_names_or_none(folders, counts, bright_and_dark, capsys):
    folder = bright_and_dark(8, **folders)
    options = workbench.PhotoOptions(str(folder))
    data, _ = workbench.read_photos(options, 8, None, seed=1)
    assert {split: len(data.files(split)) for split in data.splits} == counts
    said = f"a fifth of each class is for validation: {counts['train']} train"
    assert (said in capsys.readouterr().out) == (counts["valid"] == 4)


def test_several_labels_a_photo_by_a_file(
    photos, train, tmp_path, monkeypatch, keeps_promises, asked_elsewhere
):
    monkeypatch.chdir(tmp_path)
    files = [f"{name}/{number}" for name in "ab" for number in range(10)]
    texts = [f"['{file[0]}'{', ' if n % 2 else ''}]" for n, file in enumerate(files)]
    texts = [text.replace("', ]", "', 'odd']") for text in texts]
    table = pd.DataFrame({"photo": files, "tags": texts})
    table.to_csv("labels.csv", index=False)
    train(photos / "flowers", "--labels", "labels.csv")
    run = runs.read_run("saved_models/flowers")
    assert run.labels == ["a", "b", "odd"]
    assert run.manifest["multi_label"] and len(run.manifest["thresholds"]) == 3
    steps = [row["step"] for row in run.manifest["results"]["steps"]]
    assert steps == ["head", "all_layers"]
    keeps_promises(run.path, of_photos=True, several_labels=True)
    answers = Predictor.load(run.path).predict([photos / "flowers" / "a" / "0.png"])
    assert answers.is_multi_label
    page = run.path / "report.html"
    before = page.read_text()
    page.unlink()
    recipe("compare_runs")([str(run.path)])
    assert result_of(page.read_text()) == result_of(before)  # by the run's thresholds
    recipe("export_model")([str(run.path), "--formats", "keras"])
    assert (run.path / "export" / "model.keras").is_file()
    table["tags"] = table["tags"].iloc[::-1].tolist()
    table.to_csv("labels.csv", index=False)
    with pytest.raises(ValueError, match="or other labels in labels.csv, than"):
        workbench.recorded_data(run)


def test_a_run_by_labels_finds_its_photos_again(photos, train, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        (f"{name}/{n}.png", name == "a", name == "b")
        for name in "ab"
        for n in [*range(10)]
    ]
    table = pd.DataFrame(rows, columns=["file", "dark", "bright"]).astype(
        {"dark": int, "bright": int}
    )
    table.loc[len(table)] = ["a/gone.png", 1, 0]
    table.to_csv("labels.csv", index=False)
    train(
        "--data", photos / "flowers", "--labels", "labels.csv", "--on-missing", "skip"
    )
    run = runs.read_run("saved_models/flowers")
    assert run.labels == ["dark", "bright"]
    assert run.manifest["data"]["counts"]["valid"] == {"dark": 2, "bright": 2}
    again = workbench.recorded_data(run)
    assert len(again.files("train")) == 16
    page = run.path / "report.html"
    page.unlink()
    recipe("compare_runs")([str(run.path)])
    assert "bright" in page.read_text()
