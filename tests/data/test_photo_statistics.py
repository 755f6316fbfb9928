import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasdl.data import ImageData, photo_statistics


@pytest.fixture
def data(tmp_path):
    """Photos of class a are 20 x 10 (width x height), of b 30 x 40 and turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for split, counts in (("train", (6, 2)), ("valid", (3, 1))):
        for name, count, size in zip("ab", counts, ((20, 10), (30, 40)), strict=True):
            (tmp_path / split / name).mkdir(parents=True)
            for i in range(count):
                path = tmp_path / split / name / f"{i}.jpg"
                turned = {"exif": exif} if name == "b" else {}
                Image.new("RGB", size).save(path, **turned)
    (tmp_path / "train/a/0.jpg").write_bytes(b"no photo")
    return ImageData.from_folder(tmp_path, image_size=8, seed=0)


def test_counts_and_sizes(data, tmp_path):
    found = photo_statistics(data, verbose=0)
    pd.testing.assert_frame_equal(found.counts, data.counts())
    assert found.imbalance == 3
    assert len(found.sizes) == 11  # one has no header
    assert list(found.sizes.columns) == ["split", "height", "width"]
    assert found.sizes.loc["train/a/1.jpg"].tolist() == ["train", 10, 20]
    assert found.sizes.loc["valid/b/0.jpg"].tolist() == ["valid", 30, 40]
    text = str(found)
    assert "imbalance 3" in text
    assert "height 10 to 30 pixels, median 10" in text


def test_the_picture(data, tmp_path):
    photo_statistics(data, verbose=0).plot(tmp_path / "statistics.png")
    with Image.open(tmp_path / "statistics.png") as image:
        assert image.size == (1440, 480)
        assert len(image.convert("RGB").getcolors(100_000)) > 3


def test_arrays_and_several_labels():
    hot = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 0], [1, 0, 1]] * 5)
    images = np.zeros((20, 5, 7), "uint8")
    data = ImageData.from_arrays(images, hot, test=images[:2], seed=0)
    found = photo_statistics(data, verbose=0)
    assert found.counts.sum().tolist() == [20, 10, 10]
    assert set(zip(found.sizes.height, found.sizes.width, strict=True)) == {(5, 7)}
    assert (found.sizes.split == "test").sum() == 2
    with pytest.raises(ValueError, match="`verbose` must be one of 0, 1"):
        photo_statistics(data, verbose=3)


def test_a_class_without_photos():
    images = np.zeros((20, 5, 7), "uint8")
    data = ImageData.from_arrays(
        images, np.arange(20) % 2, class_names=["a", "b", "c"], seed=0
    )
    assert photo_statistics(data, verbose=0).imbalance == float("inf")
