import json
import os
import runpy
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import kerasdl

RECIPE = Path(__file__).parents[2] / "recipes" / "cats_dogs_world_class.py"


@pytest.fixture(scope="module")
def photos(bright_and_dark):
    return bright_and_dark(40, train=12, valid=6, test=4)


def main(photos, tmp_path, *more):
    argv = ["--data", str(photos), "--out", str(tmp_path / "run"), "--seed", "3"]
    argv += ["--cache", str(tmp_path / "cache"), "--image-size", "32"]
    runpy.run_path(str(RECIPE))["main"]([*argv, "--batch-size", "8", "--quick", *more])


def test_a_cut_run_resumes_and_leaves_a_whole_folder(
    photos, tmp_path, monkeypatch, capsys, tiny_backbone, keeps_promises
):
    tiny = ["--backbone", tiny_backbone]
    tta = kerasdl.Learner.tta

    def cut(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(kerasdl.Learner, "tta", cut)
    with pytest.raises(KeyboardInterrupt):
        main(photos, tmp_path, *tiny)
    assert os.listdir(tmp_path / "run.partial" / "state")
    monkeypatch.setattr(kerasdl.Learner, "tta", tta)
    capsys.readouterr()
    main(photos, tmp_path, *tiny, "--resume")
    output = capsys.readouterr().out
    assert "Epoch 1/1" not in output  # every step was finished before
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == (
        "README.md confusion.png curves.png history.csv labels.txt "
        "lr_find_all.png lr_find_head.png manifest.json mistakes.png "
        "model.keras model.tflite rates.png report.html".split()
    )
    keeps_promises(tmp_path / "run", of_photos=True)
    results = json.loads((tmp_path / "run" / "manifest.json").read_text())["results"]
    steps = results["steps"]
    assert [step["step"] for step in steps[:-1]] == [
        "lr_find_head",
        "head_cached",
        "head_augmented",
        "lr_find_all",
        "all_layers",
    ]
    assert all(step["minutes"] > 0 for step in steps)
    trained = [step for step in steps[:-1] if step["epochs"]]
    assert [step["epochs"] for step in trained] == [1, 1, 1]  # with --quick
    best = min(trained, key=lambda step: step["valid loss"])
    assert results["best"] == best["step"]
    assert steps[-1]["step"] == f"{best['step']} + tta"
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Settings" in page

    # The model of the run is that of the best step, in plain Keras.
    data = kerasdl.ImageData.from_folder(
        photos, test="test", image_size=32, resize="squash", seed=0
    )
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    answers = model.predict(data.test, verbose=0)[:, 0] > 0.5
    assert np.mean(answers == data.labels("test")) == pytest.approx(best["test"])


@pytest.mark.slow  # beside the whole run above, and such photos in other recipes' tests
def test_test_photos_may_have_no_labels(photos, tmp_path):
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    for number, photo in enumerate(sorted((folder / "test").rglob("*.png"))):
        photo.rename(folder / "test" / f"{number}.png")
    for name in "ab":
        (folder / "test" / name).rmdir()
    main(folder, tmp_path)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert all("test" not in step for step in manifest["results"]["steps"])


def test_bad_input_leaves_no_folder(photos, tmp_path, capsys):
    with pytest.raises(ValueError, match="`image_size` must be"):
        main(photos, tmp_path, "--image-size", "8")
    with pytest.raises(ValueError, match="`path` must be"):
        main(photos / "nothing", tmp_path)
    for argument in ("--cycles", "--n-aug", "--head-rate"):
        with pytest.raises(SystemExit):
            main(photos, tmp_path, argument, "0")
        assert f"{argument}: must be " in capsys.readouterr().err
    assert not list(tmp_path.glob("run*"))
