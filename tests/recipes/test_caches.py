import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "recipes/benchmarks/caches.py"


@pytest.fixture
def caches():
    spec = importlib.util.spec_from_file_location("caches", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def photos(tmp_path, write_photos):
    splits = {"train": 4, "valid": 4}
    return write_photos(tmp_path / "photos", splits, "ab", (60, 80), file="{}.jpg")


def test_both_ways_give_the_same_answers(
    caches, photos, tiny_backbone, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    sizes = ["--image-size", "32", "--small-size", "32", "--epochs", "1"]
    caches.main(
        ["--data", str(photos), "--backbone", tiny_backbone] + [*sizes, "--rounds", "1"]
    )
    printed = capsys.readouterr().out
    difference = re.search(r"largest difference of answers (\S+)", printed)[1]
    assert float(difference) <= 1e-4
    numbers = dict(
        re.findall(r"(through the trunk|on cached activ\w+) +(\S+) s", printed)
    )
    ratio = float(numbers["through the trunk"]) / float(
        numbers["on cached activations"]
    )
    shown = int(re.search(r"ratio (\d+), goal 50", printed)[1])
    assert shown == pytest.approx(ratio, abs=1 + 0.3 * ratio)  # of rounded seconds
    assert np.isfinite(float(re.search(r"as copies +(\d+)", printed)[1]))


@pytest.mark.parametrize("argument", ["--epochs", "--rounds"])
def test_numbers_that_are_too_small_are_an_error(argument, caches, capsys):
    with pytest.raises(SystemExit):
        caches.main(["--data", "photos", argument, "0"])
    assert f"{argument} must be at least 1" in capsys.readouterr().err
