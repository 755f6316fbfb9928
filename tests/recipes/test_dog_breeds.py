import gzip
import json
import re
import runpy
import shutil
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

import kerasdl

RECIPE = Path(__file__).parents[2] / "recipes" / "dog_breeds.py"
COLOURS = {"blue": (0, 0, 150), "green": (0, 150, 0), "red": (150, 0, 0)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory, write_photos):
    """36 photos in three colours, 7 without labels."""
    colours = list(COLOURS.values())

    def pixels(rng, _, number):
        return rng.integers(0, 100, (40, 40, 3)) + colours[number % 3]

    root = tmp_path_factory.mktemp("breeds")
    for seed, (folder, count) in enumerate({"train": 36, "test": 7}.items()):
        file = folder[1] + "{:02}.jpg"
        write_photos(root, {folder: count}, pixels=pixels, file=file, seed=seed)
    table = pd.DataFrame({"id": [f"r{number:02}" for number in range(36)]})
    table["breed"] = list(COLOURS) * 12
    table.to_csv(root / "labels.csv", index=False)
    return root


@pytest.fixture
def contest(photos, tmp_path):
    """A copy of the photos, to be damaged."""
    return shutil.copytree(photos, tmp_path / "contest")


def main(photos, tmp_path, *more):
    argv = ["--data", str(photos), "--out", str(tmp_path / "run"), "--seed", "3"]
    argv += ["--cache", str(tmp_path / "cache"), "--image-sizes", "32", "40"]
    runpy.run_path(str(RECIPE))["main"]([*argv, "--batch-size", "8", *more])


def test_a_cut_run_resumes_and_answers_for_each_photo(
    photos, tmp_path, monkeypatch, capsys, tiny_backbone, keeps_promises
):
    def cut(*args, **kwargs):
        raise KeyboardInterrupt

    few = ["--backbone", tiny_backbone, "--n-aug", "1", "--quick"]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(kerasdl.Learner, "tta", cut)
        main(photos, tmp_path, *few)
    capsys.readouterr()
    main(photos, tmp_path, "--resume")
    assert "- val_loss" not in capsys.readouterr().out  # every step was finished before

    run = tmp_path / "run"
    assert sorted(path.name for path in run.iterdir()) == (
        "README.md confusion.png curves.png history.csv labels.txt "
        "lr_find.png manifest.json mistakes.png model.keras model.tflite "
        "rates.png report.html submission.csv.gz".split()
    )
    keeps_promises(run, of_photos=True)
    manifest = json.loads((run / "manifest.json").read_text())
    steps, best = manifest["results"]["steps"], manifest["results"]["best"]
    names = ["lr_find", "head_cached", "head_augmented_32", "head_augmented_40"]
    assert [step["step"] for step in steps] == [*names, f"{best} + tta"]
    kept = min(steps[1:4], key=lambda step: step["valid loss"])
    assert best == kept["step"]
    size = 40 if best == "head_augmented_40" else 32
    assert manifest["image_size"] == [size, size]
    assert manifest["multi_label"] is False

    # The model of the run is that of the best step, in plain Keras.
    data = kerasdl.ImageData.from_table(
        photos / "labels.csv",
        photos / "train",
        "id",
        "breed",
        image_size=size,
        resize="squash",
        seed=3,
    )
    model = keras.saving.load_model(run / "model.keras")
    found = model.predict(data.valid, verbose=0)
    truth = data.labels("valid")
    assert kept["valid loss"] == pytest.approx(log_loss(truth, found), abs=1e-4)
    assert kept["valid"] == pytest.approx(np.mean(found.argmax(axis=1) == truth))

    with gzip.open(run / "submission.csv.gz", "rt") as file:
        answers = pd.read_csv(file)
    assert list(answers.columns) == ["id", *COLOURS]
    assert answers.id.tolist() == [f"e{number:02}" for number in range(7)]
    np.testing.assert_allclose(answers[list(COLOURS)].sum(axis=1), 1, atol=1e-5)


def test_all_data_trains_for_the_final_fit(photos, tmp_path, capsys, tiny_backbone):
    few = ["--backbone", tiny_backbone, "--n-aug", "1", "--quick"]
    main(photos, tmp_path, *few, "--all-data", "--image-sizes", "32")
    printed = capsys.readouterr().out
    assert "kept: head_augmented_32, the last: no photo is held out" in printed
    assert "how good it is was not measured" in printed
    run = tmp_path / "run"
    assert sorted(path.name for path in run.iterdir()) == (
        "README.md curves.png history.csv labels.txt lr_find.png manifest.json "
        "model.keras model.tflite rates.png submission.csv.gz".split()
    )
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["data"]["counts"] == {"train": dict.fromkeys(COLOURS, 12)}
    assert not any("valid loss" in row for row in manifest["results"]["steps"])
    assert "not measured: all photos train" in (run / "README.md").read_text()
    found = kerasdl.Predictor.load(run).predict(photos / "test" / "e00.jpg")
    assert found.probabilities.shape == (1, 3)


def test_the_last_size_has_growing_cycles():
    """Lesson 2: 3 cycles of one epoch, and at 299 of 1, 2 and 4."""
    recipe = runpy.run_path(str(RECIPE))
    fits = []

    class Steps:
        def find_rate(self, *_):
            pass

        def fit(self, step, rate, cycles, cycle_mult=1):
            fits.append((step, cycles, cycle_mult))

    learn = SimpleNamespace(
        data=SimpleNamespace(with_image_size=lambda size: size),
        set_data=lambda data: None,
    )
    recipe["practise"](learn, Steps(), recipe["parse_args"](["--out", "unused"]))
    assert fits == [
        ("head_cached", 3, 2),
        ("head_augmented_224", 3, 1),
        ("head_augmented_299", 3, 2),
    ]


def test_without_the_download_the_error_names_it(photos, contest, tmp_path):
    download = "kaggle competitions download -c dog-breed-identification"
    with pytest.raises(ValueError, match=rf"(?s)without labels.*train/.*{download}"):
        main(tmp_path / "nowhere", tmp_path)
    shutil.rmtree(contest / "train")
    with pytest.raises(ValueError, match=rf"(?s)\(without train/\*\.jpg\).*{download}"):
        main(contest, tmp_path)
    assert not list(tmp_path.glob("run*"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("test/e02.jpg", "no photo", r"Test photos must be undamaged.*e02\.jpg: "),
        ("labels.csv", "id,breed\nr00,x\nr99,y\n", r"without 'r99\.jpg'"),
        (
            "sample_submission.csv",
            "id,blue,green,pug\n" + "".join(f"e0{i},1,0,0\n" for i in range(7)),
            "The classes must be those of sample_submission.csv. Received: without "
            r"'pug' \(1 in all\)",
        ),
        (
            "sample_submission.csv",
            "id,blue,green,red\n" + "".join(f"e0{i},1,0,0\n" for i in range(6)),
            r"The test photos must be those of .* Received: more: 'e06' \(1 in all\)",
        ),
    ],
)
def test_bad_photos_leave_no_folder(contest, tmp_path, name, content, message):
    (contest / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        main(contest, tmp_path)
    assert not list(tmp_path.glob("run*"))


def test_image_sizes_must_rise(photos, tmp_path):
    message = re.escape("`image_sizes` must rise, from 32 on for 'efficientnet_lite0'")
    for sizes in (["16", "32"], ["64", "32"], ["32", "32"]):
        with pytest.raises(ValueError, match=message):
            main(photos, tmp_path, "--image-sizes", *sizes)
    assert not list(tmp_path.glob("run*"))


def test_a_resumed_run_refuses_other_labels(
    contest, tmp_path, monkeypatch, tiny_backbone
):
    def cut(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(kerasdl.Learner, "lr_find", cut)
        main(contest, tmp_path, "--backbone", tiny_backbone)
    text = (contest / "labels.csv").read_text()
    (contest / "labels.csv").write_text(text.replace("r00,blue", "r00,red"))
    with pytest.raises(ValueError, match="`data` must be the images and labels"):
        main(contest, tmp_path, "--resume")
