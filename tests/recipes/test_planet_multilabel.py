import gzip
import json
import runpy
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import fbeta_score

import kerasdl
from kerasdl import models, predict

RECIPES = Path(__file__).parents[2] / "recipes"
COLOURS = ("red", "green", "blue")


def tags_of(number):
    """Each of the eight mixtures in turn, darkness among them."""
    return [name for bit, name in enumerate(COLOURS) if number % 8 >> bit & 1]


@pytest.fixture(scope="module")
def photos(tmp_path_factory, write_photos):
    """56 photos that are bright in the colours they are tagged with, 5 of a test."""

    def pixels(rng, _, number):
        tags = [150 * (colour in tags_of(number)) for colour in COLOURS]
        return rng.integers(0, 100, (40, 40, 3)) + tags

    root = tmp_path_factory.mktemp("planet")
    for name, count in {"train": 56, "test": 5}.items():
        file = name + "_{}.jpg"
        write_photos(root, {f"{name}-jpg": count}, pixels=pixels, file=file)
    table = pd.DataFrame({"image_name": [f"train_{n}" for n in range(56)]})
    table["tags"] = [" ".join(tags_of(n)) for n in range(56)]
    table.to_csv(root / "train_v2.csv", index=False)
    # In another order than that of the files' names.
    sample = pd.DataFrame({"image_name": [f"test_{n}" for n in (3, 0, 4, 2, 1)]})
    sample.assign(tags="red").to_csv(root / "sample_submission_v2.csv", index=False)
    return root


def main(photos, tmp_path, *more):
    argv = ["--data", str(photos), "--out", str(tmp_path / "run"), "--seed", "3"]
    argv += ["--cache", str(tmp_path / "cache"), "--image-sizes", "32", "40"]
    argv += ["--batch-size", "8", "--n-aug", "1", "--quick", *more]
    runpy.run_path(str(RECIPES / "planet_multilabel.py"))["main"](argv)


def test_a_cut_run_resumes_and_answers_by_its_thresholds(
    photos, tmp_path, monkeypatch, capsys, tiny_backbone, keeps_promises
):
    tiny = ["--backbone", tiny_backbone]

    def cut(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(models, "with_input_size", cut)
        main(photos, tmp_path, *tiny)
    capsys.readouterr()
    main(photos, tmp_path, "--resume")
    output = capsys.readouterr().out
    assert output.count("- val_loss") == 2  # the two epochs at the first size were kept

    run = tmp_path / "run"
    assert sorted(path.name for path in run.iterdir()) == (
        "README.md curves.png history.csv labels.txt lr_find_all.png "
        "lr_find_head.png manifest.json mistakes.png model.keras "
        "model.tflite rates.png report.html submission.csv.gz "
        "thresholds.csv".split()
    )
    keeps_promises(run, of_photos=True, several_labels=True)
    manifest = json.loads((run / "manifest.json").read_text())
    steps, best = manifest["results"]["steps"], manifest["results"]["best"]
    assert [step["step"] for step in steps] == [
        "lr_find_head",
        "head_32",
        "lr_find_all",
        "all_32",
        "head_40",
        "all_40",
        f"{best} + thresholds",
        f"{best} + tta",
        f"{best} + tta + thresholds",
    ]
    trained = [step for step in steps[:6] if step["epochs"]]
    assert best == min(trained, key=lambda step: step["valid loss"])["step"]
    assert manifest["multi_label"] is True
    assert manifest["image_size"] == [int(best.split("_")[1])] * 2

    # F2 of the half that reports, by plain Keras and scikit-learn.
    data = kerasdl.ImageData.from_table(
        photos / "train_v2.csv",
        photos / "train-jpg",
        "image_name",
        "tags",
        label_delimiter=" ",
        image_size=manifest["image_size"],
        resize="squash",
        seed=3,
    )
    model = keras.saving.load_model(run / "model.keras")
    found = model.predict(data.valid, verbose=0)
    truth = data.labels("valid")
    thresholds = np.array(manifest["thresholds"])
    by_step = {step["step"]: step for step in steps}
    for step, limit in ((best, 0.5), (f"{best} + thresholds", thresholds)):
        answers = found[1::2] > limit
        score = fbeta_score(
            truth[1::2], answers, beta=2, average="samples", zero_division=0
        )
        assert by_step[step]["F2"] == pytest.approx(score, abs=1e-5)
    fitted = predict.fit_thresholds(found[::2], truth[::2])
    np.testing.assert_allclose(thresholds, fitted, atol=1e-5)

    with gzip.open(run / "submission.csv.gz", "rt") as file:
        answers = pd.read_csv(file)
    assert answers.image_name.tolist() == [f"test_{n}" for n in range(5)]
    for tags in answers.tags.str.split():
        assert tags and tags == sorted(set(tags) & set(COLOURS))

    photo = photos / "test-jpg" / "test_0.jpg"
    result = kerasdl.Predictor.load(run).predict(photo)
    probabilities = dict(zip(sorted(COLOURS), result.probabilities[0], strict=True))
    limits = dict(zip(sorted(COLOURS), thresholds, strict=True))
    above = [name for name in COLOURS if probabilities[name] > limits[name]]
    assert sorted(result.labels[0]) == sorted(above)
    readme = (run / "README.md").read_text()
    assert "may have several of these labels, or none: blue, green, red." in readme
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "split valid (the half that reports), 3 classes, several a photo" in page


def test_little_zoom_and_copies_a_third_larger(photos, tmp_path, monkeypatch):
    """Lesson 3: `transforms_top_down, max_zoom=1.05`, and `resize(int(sz * 1.3))`."""
    zooms, sides = [], []

    def resize_to(self, side, cache_dir):
        sides.append((self.image_size[0], side))
        raise KeyboardInterrupt

    monkeypatch.setattr(
        kerasdl.data, "top_down", lambda max_zoom: zooms.append(max_zoom)
    )
    monkeypatch.setattr(kerasdl.ImageData, "resize_to", resize_to)
    with pytest.raises(KeyboardInterrupt):
        main(photos, tmp_path, "--image-sizes", "64", "128")
    assert (zooms, sides) == ([1.05], [(64, 83)])


def test_without_the_download_the_error_names_it(tmp_path):
    contest = "planet-understanding-the-amazon-from-space"
    download = rf"train-jpg/\*\.jpg.*competitions download -c {contest}.*test-jpg"
    with pytest.raises(ValueError, match=f"(?s){download}"):
        main(tmp_path / "nowhere", tmp_path)
    assert not list(tmp_path.glob("run*"))
