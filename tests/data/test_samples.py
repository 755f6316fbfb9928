from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from kerasdl.data.samples import write_sample
from kerasdl.models.backbones import build_trunk

SMALL = {"train": 2, "valid": 1, "test": 1, "image_size": 64}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("sample") / "faces")


@pytest.fixture(scope="module")
def splits(sample):
    """Of each split: files, images, and 1 for each dog."""
    files = {
        split: sorted((sample / split).rglob("*.jpg")) for split in ("train", "test")
    }
    return {
        split: (
            paths,
            [np.asarray(Image.open(path)) for path in paths],
            np.array([path.name.startswith("dog") for path in paths], int),
        )
        for split, paths in files.items()
    }


def linear_accuracy(splits, describe):
    """Test accuracy of logistic regression on `describe(image)`, the best of three."""
    (_, train, train_labels), (_, test, test_labels) = splits["train"], splits["test"]
    train, test = (
        np.stack([describe(image).ravel() for image in images])
        for images in (train, test)
    )
    models = [LogisticRegression(C=c, max_iter=5000) for c in (0.1, 1, 10)]
    return max(
        model.fit(train, train_labels).score(test, test_labels) for model in models
    )


def centre(image, size):
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(image[top : top + side, left : left + side])
    return np.asarray(square.resize((size, size), Image.Resampling.BOX), np.float32)


def contents(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*.jpg")
    }


def test_default_sample_has_numbered_rgb_files_of_about_the_asked_size(sample):
    names = {path.relative_to(sample).as_posix() for path in sample.rglob("*.jpg")}
    counts = {"train": 120, "valid": 60, "test": 60}
    assert names == {
        f"{split}/{animal}s/{animal}.{number:04}.jpg"
        for split, count in counts.items()
        for animal in ("cat", "dog")
        for number in range(1, count + 1)
    }
    for name in names:
        with Image.open(sample / name) as image:
            assert image.mode == "RGB" and image.format == "JPEG"
            assert 0.79 * 224 <= min(image.size) <= max(image.size) <= 1.2 * 224


def test_thumbnails_do_not_tell_the_class(splits):
    assert linear_accuracy(splits, lambda image: centre(image, 8) / 255) < 0.75


def test_background_does_not_tell_the_class(splits):
    def border(image):
        small = centre(image, 32) / 255
        return np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])

    assert linear_accuracy(splits, border) < 0.65


@pytest.mark.parametrize(
    "trait",
    [
        lambda path: path.stat().st_size,
        lambda path: path.stat().st_mtime_ns,
        lambda path: Image.open(path).height,
        lambda path: Image.open(path).width,
        lambda path: sum(Image.open(path).quantization[0]),
    ],
    ids=["bytes", "time", "height", "width", "jpeg_quality"],
)
def test_file_does_not_tell_the_class(sample, trait):
    files = list(sample.rglob("*.jpg"))
    dogs = [path.name.startswith("dog") for path in files]
    # 480 files: chance is 0.5, its standard deviation 0.026.
    assert 0.4 < roc_auc_score(dogs, [trait(path) for path in files]) < 0.6


def test_frozen_trunk_tells_the_class(splits):
    trunk = build_trunk("efficientnet_lite0", image_size=128, seed=0)
    features = {}
    for split, (_, images, labels) in splits.items():
        pixels = np.stack([centre(image, 128) for image in images])
        maps = trunk.predict(pixels, batch_size=40, verbose=0)
        features[split] = maps.mean(axis=(1, 2)), labels
    head = LogisticRegression(max_iter=5000).fit(*features["train"])
    assert head.score(*features["test"]) > 0.95


def test_a_larger_sample_begins_with_a_smaller_one(tmp_path):
    small = contents(write_sample(tmp_path / "small", **SMALL))
    large = contents(
        write_sample(tmp_path / "large", **{**SMALL, "train": 3, "test": 2})
    )
    assert len(small) == 8 and len(large) == 12
    assert small.items() <= large.items()
    assert len(set(large.values())) == 12


def test_another_seed_draws_other_images(tmp_path):
    first = contents(write_sample(tmp_path / "first", **SMALL, seed=1))
    second = contents(write_sample(tmp_path / "second", **SMALL, seed=2))
    assert all(first[name] != second[name] for name in first)


def test_a_drawn_seed_is_printed(tmp_path, capsys):
    write_sample(tmp_path / "faces", **SMALL, seed=None)
    assert capsys.readouterr().out.startswith("seed=")


def test_the_same_sample_is_not_drawn_again(tmp_path):
    directory = write_sample(tmp_path / "faces", **SMALL)
    times = {path: path.stat().st_mtime_ns for path in directory.rglob("*")}
    assert write_sample(str(directory), **SMALL) == directory
    assert times == {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


@pytest.mark.parametrize(
    "spoil", ["arguments", "image lost", "image added", "other folder"]
)
def test_anything_else_in_its_place_is_an_error(tmp_path, spoil):
    directory = tmp_path / "faces"
    arguments = SMALL
    if spoil == "other folder":
        directory.mkdir()
    else:
        write_sample(directory, **SMALL)
    if spoil == "arguments":
        arguments = {**SMALL, "seed": 5}
    elif spoil == "image lost":
        (directory / "test/dogs/dog.0001.jpg").unlink()
    elif spoil == "image added":
        (directory / "test/dogs/rex.jpg").write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        ValueError, match="`directory` must not exist, or hold the same"
    ):
        write_sample(directory, **arguments)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"train": 0}, "`train` must be an integer of at least 1. Received: train=0"),
        ({"valid": 1.5}, "`valid` must be"),
        ({"test": -1}, "`test` must be"),
        ({"image_size": "64"}, "`image_size` must be an integer"),
        (
            {"image_size": 63},
            "`image_size` must be at least 64. Received: image_size=63",
        ),
        ({"seed": -1}, "`seed` must be"),
    ],
)
def test_bad_arguments_create_nothing(tmp_path, arguments, match):
    with pytest.raises(ValueError, match=match):
        write_sample(tmp_path / "faces", **{**SMALL, **arguments})
    assert not any(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    write_bytes = Path.write_bytes

    def full(path, content):
        if path.name == "dog.0002.jpg":
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_sample(tmp_path / "faces", **SMALL)
    assert not any(tmp_path.iterdir())


def test_two_may_draw_the_same_sample_after_one_that_was_killed(tmp_path):
    (tmp_path / ".faces.partial" / "train").mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        drawn = [pool.submit(write_sample, tmp_path / "faces", **SMALL) for _ in "ab"]
        assert {future.result() for future in drawn} == {tmp_path / "faces"}
    assert len(contents(tmp_path / "faces")) == 8
    assert list(tmp_path.iterdir()) == [tmp_path / "faces"]
