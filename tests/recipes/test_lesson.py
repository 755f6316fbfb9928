import importlib.util
from functools import partialmethod
from pathlib import Path

import pytest

from kerasdl.data.samples import write_sample

SCRIPT = Path(__file__).parents[2] / "recipes/benchmarks/lesson.py"


@pytest.fixture
def lesson():
    spec = importlib.util.spec_from_file_location("lesson", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def walked(lesson, folder, count, size, cache):
    args = ["--data", str(folder), "--image-size", str(size), "--cache", str(cache)]
    return lesson.walk(lesson.parse_args([*args, "--n-aug", "1"]), count, 1, cache)


def test_every_step_trains(
    lesson, tmp_path, bright_and_dark, tiny_backbone, monkeypatch
):
    pretrained = lesson.kerasdl.Learner.pretrained

    def tiny(name, *args, **options):
        return pretrained(tiny_backbone, *args, **options)

    monkeypatch.setattr(lesson.kerasdl.Learner, "pretrained", tiny)
    sweep = partialmethod(lesson.kerasdl.Learner.lr_find, num_steps=30)
    monkeypatch.setattr(lesson.kerasdl.Learner, "lr_find", sweep)
    photos = bright_and_dark(40, train=24, valid=12)
    row = walked(lesson, photos, 48, 32, tmp_path)
    assert set(lesson.STEPS) < set(row)
    assert row["head"] < row["augmented"] == row["unfrozen"] == row["cycles"] == 1
    assert row["tta"] == 1


@pytest.mark.slow
def test_steps_on_drawn_photos_rise(lesson, tmp_path):
    drawn = write_sample(tmp_path / "drawn", 48, 24, 1, image_size=64)
    row = walked(lesson, drawn, 96, 64, tmp_path)
    assert set(lesson.STEPS) < set(row)
    assert row["head"] < row["unfrozen"] < row["cycles"]


@pytest.mark.slow
def test_no_step_on_real_photos_throws_away_what_the_head_has(
    lesson, real_data, tmp_path
):
    row = walked(lesson, real_data / "data" / "cats_dogs", 400, 224, tmp_path)
    assert row["head"] > 0.96
    assert row["unfrozen"] >= row["head"] - 0.01
    assert row["cycles"] >= row["head"] - 0.005
