"""The recipes for Kaggle's contests, on small sets in the contests' layouts."""

import json
import os
import runpy
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kerasdl
from kerasdl.cli import run_recipe

RECIPES = Path(__file__).parents[2] / "recipes"
BREEDS = ("boxer", "collie", "pug")
TAGS = ("clear", "primary", "water")


@pytest.fixture(scope="module")
def breeds(tmp_path_factory):
    """Each breed has a level of its own."""
    root = tmp_path_factory.mktemp("breeds")
    rng = np.random.default_rng(0)
    rows = []
    for split, count in (("train", 8), ("test", 2)):
        (root / split).mkdir()
        for number, breed in enumerate(BREEDS):
            for i in range(count):
                name = f"{split}{number}{i}"
                pixels = rng.integers(0, 80, (40, 48, 3)) + 80 * number
                write(root / split / f"{name}.jpg", pixels)
                rows += [(name, breed)] if split == "train" else []
    pd.DataFrame(rows, columns=["id", "breed"]).to_csv(root / "labels.csv", index=False)
    return root


@pytest.fixture(scope="module")
def planet(tmp_path_factory):
    """Each tag lights up one colour; every combination of them is there."""
    root = tmp_path_factory.mktemp("planet")
    rng = np.random.default_rng(0)
    rows = []
    for split, count in (("train", 28), ("test", 3)):
        (root / f"{split}-jpg").mkdir()
        for i in range(count):
            bits = [(i % 7 + 1) >> place & 1 for place in range(3)]
            pixels = rng.integers(0, 100, (40, 40, 3)) + 150 * np.array(bits)
            write(root / f"{split}-jpg" / f"{split}_{i}.jpg", pixels)
            tags = " ".join(np.array(TAGS)[np.array(bits, bool)])
            rows += [(f"train_{i}", tags)] if split == "train" else []
    table = pd.DataFrame(rows, columns=["image_name", "tags"])
    table.to_csv(root / "train_v2.csv", index=False)
    return root


def write(path, pixels):
    Image.fromarray(pixels.astype("uint8")).save(path, quality=95)


def main(recipe, folder, tmp_path, *more):
    argv = ["--data", str(folder), "--out", str(tmp_path / "run"), "--seed", "3"]
    argv += ["--cache", str(tmp_path / "cache"), "--batch-size", "8"]
    argv += ["--image-sizes", "32", "40", "--quick"]
    runpy.run_path(str(RECIPES / f"{recipe}.py"))["main"]([*argv, *more])


def test_dog_breeds_cut_and_resumed(breeds, tmp_path, monkeypatch, capsys):
    tta = kerasdl.Learner.tta

    def cut(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(kerasdl.Learner, "tta", cut)
    with pytest.raises(KeyboardInterrupt):
        main("dog_breeds", breeds, tmp_path)
    monkeypatch.setattr(kerasdl.Learner, "tta", tta)
    capsys.readouterr()
    main("dog_breeds", breeds, tmp_path, "--resume")
    assert "Epoch 1/" not in capsys.readouterr().out  # every step was finished
    run = tmp_path / "run"
    assert sorted(os.listdir(run)) == [
        *("README.md", "curves.png", "history.csv", "labels.txt", "manifest.json"),
        *("model.keras", "model.tflite", "rates.png", "report.html"),
        "submission.csv.gz",
    ]
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["image_size"] == [40, 40]
    steps = manifest["results"]["steps"]
    names = ["head_cached_32", "augmented_32", "augmented_40", "tta"]
    assert [step["step"] for step in steps] == names
    answers = pd.read_csv(run / "submission.csv.gz")
    assert answers.columns.tolist() == ["id", *BREEDS]
    assert answers["id"].tolist() == [f"test{n}{i}" for n in range(3) for i in (0, 1)]
    np.testing.assert_allclose(answers[list(BREEDS)].sum(axis=1), 1, atol=1e-3)
    model = keras.saving.load_model(run / "model.keras")
    assert model.input_shape == (None, 40, 40, 3) and model.output_shape == (None, 3)


def test_planet_answers_with_tags(planet, tmp_path, capsys):
    main("planet_multilabel", planet, tmp_path)
    run = tmp_path / "run"
    answers = pd.read_csv(run / "submission.csv.gz")
    assert answers.columns.tolist() == ["image_name", "tags"]
    assert answers["image_name"].tolist() == ["test_0", "test_1", "test_2"]
    assert all(set(tags.split()) <= set(TAGS) for tags in answers["tags"])
    manifest = json.loads((run / "manifest.json").read_text())
    table = pd.read_csv(run / "thresholds.csv", index_col="label")
    np.testing.assert_allclose(
        table["threshold"].dropna(), manifest["thresholds"], atol=1e-6
    )
    assert "fbeta" in pd.read_csv(run / "history.csv")
    assert "nan" not in capsys.readouterr().out.split("test-time")[0]

    # A finished run knows that an image has several labels, and from when on.
    predictor = kerasdl.Predictor.load(run)
    files = [planet / "test-jpg" / f"test_{i}.jpg" for i in range(3)]
    found = predictor.predict(files)
    above = found.probabilities - np.array(manifest["thresholds"])
    for labels, row in zip(found.labels, above, strict=True):
        expected = {TAGS[i] for i in np.flatnonzero(row > 0)} or {TAGS[row.argmax()]}
        assert set(labels.split()) == expected
    assert found.to_frame().columns.tolist() == ["file", "labels", *TAGS]


@pytest.mark.parametrize(
    ("recipe", "download"),
    [
        ("dog_breeds", "download -c dog-breed-identification"),
        ("planet_multilabel", "-c planet-understanding-the-amazon-from-space"),
    ],
)
def test_without_data_the_error_names_the_download(recipe, download, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run_recipe(lambda: main(recipe, tmp_path / "none", tmp_path))
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "--data must be a folder with" in message and download in message
    assert not list(tmp_path.iterdir())


def test_damaged_photos_are_left_out_or_an_error(breeds, tmp_path):
    folder = tmp_path / "breeds"
    (folder / "train").mkdir(parents=True)
    for photo in (breeds / "train").iterdir():
        (folder / "train" / photo.name).symlink_to(photo)
    damaged = folder / "train" / "train00.jpg"
    damaged.unlink()
    damaged.write_bytes(b"no image")
    (folder / "labels.csv").write_bytes((breeds / "labels.csv").read_bytes())
    with pytest.raises(ValueError, match="undamaged .* train/train00.jpg"):
        main("dog_breeds", folder, tmp_path, "--on-error", "raise")
    main("dog_breeds", folder, tmp_path, "--image-sizes", "32", "--cycles", "1")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert list(manifest["data"]["damaged"]) == ["train/train00.jpg"]
    counts = manifest["data"]["counts"]
    assert counts["train"]["boxer"] + counts["valid"]["boxer"] == 7
    assert not (tmp_path / "run" / "submission.csv.gz").exists()  # no test photos
