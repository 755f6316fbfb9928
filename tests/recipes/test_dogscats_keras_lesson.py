import json
import runpy
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "dogscats_keras_lesson.py"


@pytest.fixture(scope="module")
def photos(bright_and_dark):
    return bright_and_dark(20, train=12, valid=6)


def main(photos, tmp_path, *more):
    argv = ["--data", str(photos), "--out", str(tmp_path / "run"), "--seed", "3"]
    runpy.run_path(str(RECIPE))["main"]([*argv, "--batch-size", "8", *more])


def test_both_ways_from_the_same_head(photos, tmp_path, capsys, tiny_backbone):
    main(photos, tmp_path, "--backbone", tiny_backbone, "--epochs", "2")
    run = tmp_path / "run"
    assert sorted(path.name for path in run.iterdir()) == (
        "curves.png history.csv labels.txt manifest.json model.keras".split()
    )
    steps = json.loads((run / "manifest.json").read_text())["results"]["steps"]
    names = ["head", "late layers, lesson", "late layers, held still"]
    assert [step["step"] for step in steps] == names
    history = pd.read_csv(run / "history.csv")
    assert history["stage"].tolist() == [names[0], *names]
    # Rates of 1e-5 leave in an epoch what the head has learned.
    head, _, ours = (step["valid loss"] for step in steps)
    assert ours == pytest.approx(head, rel=0.2)
    # The last is what is kept, in plain Keras on raw pixels.
    model = keras.saving.load_model(run / "model.keras")
    files = sorted((photos / "valid").rglob("*.png"))
    pixels = [keras.utils.img_to_array(keras.utils.load_img(f)) for f in files]
    pixels = np.stack([keras.ops.image.resize(p, (32, 32), "nearest") for p in pixels])
    right = (model.predict(pixels, verbose=0)[:, 0] > 0.5) == [0] * 6 + [1] * 6
    assert right.mean() == pytest.approx(steps[-1]["valid"])
    assert "late layers, held still" in capsys.readouterr().out.splitlines()[-3]


def weights_of(run):
    return keras.saving.load_model(run / "model.keras").get_weights()


@pytest.mark.slow  # beside the cut runs of smaller recipes, by the same steps
def test_a_quick_run_that_was_cut_ends_as_one_that_was_not(
    photos, tmp_path, tiny_backbone, monkeypatch
):
    how = ("--backbone", tiny_backbone, "--quick")
    main(photos, tmp_path / "whole", *how)
    fit, done = keras.Model.fit, []

    def fit_two(model, data, **options):
        if len(done) == 2:
            raise KeyboardInterrupt
        # 24 photos are 3 batches of 8, fewer than 200 would be.
        done.append((options["steps_per_epoch"], options["epochs"]))
        return fit(model, data, **options)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(keras.Model, "fit", fit_two)
        main(photos, tmp_path / "cut", *how)
    assert done == [(3, 1)] * 2
    done.pop()
    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "fit", fit_two)  # one more
        main(photos, tmp_path / "cut", *how, "--resume")
    whole, cut = (tmp_path / name / "run" for name in ("whole", "cut"))
    assert sorted(path.name for path in cut.iterdir()) == sorted(
        path.name for path in whole.iterdir()
    )
    assert (cut / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()
    for ours, wanted in zip(weights_of(cut), weights_of(whole), strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_a_strategy_is_refused_before_any_work(photos, tmp_path):
    with pytest.raises(ValueError, match="`strategy` must be 'none'.*='mirrored'"):
        main(photos, tmp_path, "--strategy", "mirrored")
    assert not any(tmp_path.iterdir())


def test_what_does_not_suit_leaves_no_folder(photos, tmp_path, write_photos):
    with pytest.raises(
        ValueError, match=r"`data` must be a folder with train/.*neither"
    ):
        main(photos / "train", tmp_path)
    three = write_photos(tmp_path / "three", {"train": 2, "valid": 1}, "abc")
    with pytest.raises(ValueError, match="class"):
        main(three, tmp_path)
    assert not (tmp_path / "run").exists()
