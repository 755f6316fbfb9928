"""The sets that benchmarks/practice.py draws, and its table; training is elsewhere."""

import json
import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "recipes/benchmarks/practice.py"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def downloads(tmp_path):
    """Files of the right names; nothing here looks into them."""
    data = tmp_path / "data"
    for split in ("train", "valid", "test"):
        for name in ("cats", "dogs"):
            touch(data / "cats_dogs" / split / name, name, 40)
    for split in ("train", "valid"):
        for name in ("pug", "shiba_inu"):
            touch(data / "pets_trimaps" / "images" / split, f"{name}_{split}", 20)
    files = touch(data / "dog_breeds" / "train", "photo", 32)
    breeds = ["rare", "rare", *("a" * 15), *("b" * 15)]
    rows = [f"{file.stem},{name}" for file, name in zip(files, breeds, strict=True)]
    (data / "dog_breeds" / "labels.csv").write_text("\n".join(["id,breed", *rows]))
    return data


def touch(folder, name, count):
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}_{number}.jpg" for number in range(count)]
    for file in files:
        file.touch()
    return files


def drawn(script, name, data, seed):
    """File names by split and class of a set that is written for `seed`."""
    folder = data.parent / "sets" / f"{name}-{seed}"
    script["write_set"](script["SETS"][name], data, folder, seed)
    assert all(file.resolve().is_file() for file in folder.glob("*/*/*"))
    return {
        split.name: {
            place.name: {file.name for file in place.iterdir()}
            for place in split.iterdir()
        }
        for split in folder.iterdir()
    }


def test_a_few_cats_and_dogs_are_drawn_anew_for_each_seed(script, downloads):
    one, other = (drawn(script, "cats_dogs_40", downloads, seed) for seed in (1, 2))
    for splits in (one, other):
        sizes = {split: len(classes["cats"]) for split, classes in splits.items()}
        assert sizes == {"train": 20, "valid": 10, "test": 40}
        assert not splits["train"]["cats"] & splits["valid"]["cats"]
    assert one["test"] == other["test"]
    assert one["train"] != other["train"]
    whole = drawn(script, "cats_dogs_2000", downloads, 1)
    assert {split: len(c["dogs"]) for split, c in whole.items()} == {
        **{"train": 40, "valid": 40, "test": 40}
    }


@pytest.mark.parametrize(
    ("name", "classes", "sizes"),
    [
        ("pets", {"pug_train", "pug_valid", "shiba_inu_train", "shiba_inu_valid"}, ()),
        ("dog_breeds", {"a", "b"}, {"train": 9, "valid": 1, "test": 5}),
    ],
)
def test_each_seed_tests_on_another_third(name, classes, sizes, script, downloads):
    seen = [drawn(script, name, downloads, seed) for seed in (1, 2, 3)]
    for label in classes:
        thirds = [splits["test"][label] for splits in seen]
        assert len(set.union(*thirds)) == sum(map(len, thirds))
    for splits in seen:
        assert splits["test"].keys() == classes
        for label in classes:
            parts = [splits[split].get(label, set()) for split in splits]
            assert len(set.union(*parts)) == sum(map(len, parts))
        if sizes:
            assert {split: len(found["a"]) for split, found in splits.items()} == sizes


def test_runs_that_are_there_are_read(script, downloads, tmp_path, capsys):
    for seed, right in ((1, 0.5), (2, 0.7)):
        (tmp_path / "sets" / f"pets-{seed}").mkdir(parents=True)
        run = tmp_path / "runs" / f"pets-{seed}"
        run.mkdir(parents=True)
        stages = [
            {"stage": "practice_head", "test": right, "minutes": 1.0},
            {"stage": "practice", "test": right + 0.2, "minutes": 2.0},
        ]
        results = {"stages": stages, "best": "practice", "baseline": {"test": 0.25}}
        (run / "manifest.json").write_text(json.dumps({"results": results}))
    argv = ["--data", downloads, "--out", tmp_path, "--sets", "pets", "--seeds", 1, 2]
    script["main"]([str(part) for part in argv])
    table = capsys.readouterr().out.splitlines()
    means = next(line.split() for line in table if line.startswith("mean of the sets"))
    assert means[4:] == ["0.6000", "0.8000", "0.8000", "3.0000", "0.2500"]
