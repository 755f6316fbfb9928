"""CIFAR-10's own files as PNGs: right way round, whole or not at all, resumed."""

import pickle

import cv2
import numpy as np
import pytest

from kerasdl import data
from kerasdl.data import cifar10_folders


@pytest.fixture
def batches(tmp_path, rng):
    """Five batches of four images and one of two, as the real files are pickled."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    pixels = rng.integers(0, 256, (22, 3, 32, 32), dtype=np.uint8)
    labels = [number % 10 for number in range(22)]
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    for number, name in enumerate(names):
        rows = slice(4 * number, 4 * number + 4)
        batch = {
            "labels": labels[rows],
            "data": pixels[rows].reshape(-1, 3072),
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=4))
    return tmp_path, pixels, labels


def test_each_image_is_a_png_of_its_class(batches, tmp_path, capsys):
    directory, pixels, labels = batches
    target = data.cifar10_to_folders(tmp_path / "cifar", directory)
    assert "20 training and 2 test images of 10 classes" in capsys.readouterr().out
    assert len(list(target.rglob("*.png"))) == 22
    names = sorted(path.name for path in (target / "train").iterdir())
    for number in (0, 13, 20):
        split, place = ("train", number) if number < 20 else ("test", number - 20)
        name = names[labels[number]]  # CIFAR's classes are in the order of letters
        image = cv2.imread(str(target / split / name / f"{place:05d}.png"))
        np.testing.assert_array_equal(
            image[..., ::-1], pixels[number].transpose(1, 2, 0)
        )


def test_what_was_cut_goes_on(batches, tmp_path, monkeypatch):
    directory, *_ = batches
    target = tmp_path / "cifar"
    write, written = cifar10_folders.write_bytes, []

    def cut(path, content, **options):
        if len(written) == 9:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content, **options)

    monkeypatch.setattr(cifar10_folders, "map_ahead", map)
    monkeypatch.setattr(cifar10_folders, "write_bytes", cut)
    with pytest.raises(KeyboardInterrupt):
        data.cifar10_to_folders(target, directory)
    assert not target.exists()
    first = written.copy()
    written.clear()
    monkeypatch.setattr(
        cifar10_folders,
        "write_bytes",
        lambda path, content, **options: (written.append(path), write(path, content)),
    )
    data.cifar10_to_folders(target, directory)
    assert not set(first) & set(written)
    assert len(first) + len(written) == 22
    assert len(list(target.rglob("*.png"))) == 22
    assert {path.name for path in tmp_path.iterdir()} == {
        "cifar",
        "cifar-10-batches-py",
    }


def test_bad_input_writes_nothing(batches, tmp_path):
    directory, *_ = batches
    with pytest.raises(ValueError, match="`directory` must be an existing directory"):
        data.cifar10_to_folders(tmp_path / "cifar", tmp_path / "nothing")
    with pytest.raises(ValueError, match="`target` must not exist yet"):
        data.cifar10_to_folders(directory, directory)
    (tmp_path / "cifar.partial").mkdir()
    (tmp_path / "cifar.partial" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="free with .partial too.* holds mine.txt"):
        data.cifar10_to_folders(tmp_path / "cifar", directory)
    assert not (tmp_path / "cifar").exists()
