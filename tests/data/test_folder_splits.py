"""Labels from file names, and test folders without labels."""

import numpy as np
import pytest
from PIL import Image

from kerasdl.data import ImageData

SIZE = 8


def save_photo(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIZE, SIZE)).save(path)


@pytest.fixture
def pets(tmp_path):
    for number in range(10):
        save_photo(tmp_path / "pets" / f"great_dane_{number}.png")
        save_photo(tmp_path / "pets" / "more" / f"pug_{number}.png")
    return tmp_path / "pets"


def build(folder, regex=r"([^/]+)_\d+\.png$", **options):
    options = {"image_size": SIZE, "seed": 3, **options}
    return ImageData.from_name(folder, regex, **options)


def test_the_first_group_is_the_label(pets, capsys):
    data = build(pets, valid_fraction=0.3)
    assert "2 classes: great_dane, pug" in capsys.readouterr().out
    assert data.counts().to_numpy().tolist() == [[7, 7], [3, 3]]
    for split in ("train", "valid"):
        is_pug = ["pug" in file for file in data.files(split)]
        np.testing.assert_array_equal(data.labels(split), is_pug)
        assert all(path.is_file() for path in data.paths(split))
    again = build(pets, valid_fraction=0.3)
    assert again.files("valid") == data.files("valid")


def test_the_whole_path_below_the_folder_may_be_matched(pets):
    for number in range(4):
        save_photo(pets / "less" / f"pug_{number}.png")
    data = build(pets, r"^(more|less)?", exclude=_flat(pets), valid_fraction=0.25)
    assert data.counts().sum().to_dict() == {"less": 4, "more": 10}


def _flat(pets):
    return [path.name for path in pets.glob("*.png")]


def test_a_share_or_a_folder_for_test(pets, tmp_path):
    assert build(pets, test=0.2).counts().loc["test"].tolist() == [2, 2]
    save_photo(tmp_path / "other" / "1.png")
    assert build(pets, test=tmp_path / "other").files("test") == ["1.png"]


@pytest.mark.parametrize(
    ("regex", "message"),
    [
        ("(", "`regex` must be a regular expression"),
        (r"\d+", "`regex` must have a group"),
        (r"^(great_dane)", r"in every file name.*'more/pug_0\.png'.*\(10 in all\)"),
        (r"(x?)", "in every file name"),
        (r"(\.png)", r"at least two classes. Received: \['\.png'\]"),
    ],
)
def test_names_without_a_label(pets, regex, message):
    with pytest.raises(ValueError, match=message):
        build(pets, regex)


def test_photos_of_several_splits_are_not_mixed(tmp_path):
    for name in ("training/cat_1.png", "Test/cat_2.png"):
        save_photo(tmp_path / name)
    with pytest.raises(ValueError, match="are splits: 'Test' and 'training'"):
        build(tmp_path)


def test_folders_without_photos(tmp_path):
    with pytest.raises(ValueError, match="`folder` must be an existing directory"):
        build(tmp_path / "none")
    with pytest.raises(ValueError, match=r"must hold images.*\(0 images\)"):
        build(tmp_path)


def test_a_test_folder_without_class_folders_has_no_labels(tmp_path):
    for name in ("train/a", "train/b", "valid/a", "valid/b", "test"):
        for number in range(3):
            save_photo(tmp_path / name / f"{number}.png")
    data = ImageData.from_folder(
        tmp_path, test="test", image_size=SIZE, exclude=["test/1.png"], seed=0
    )
    assert data.files("test") == ["test/0.png", "test/2.png"]
    assert data.paths("test") == [tmp_path / file for file in data.files("test")]
    assert data.test.element_spec.shape == (None, SIZE, SIZE, 3)
    with pytest.raises(ValueError, match="`split` must be one with labels"):
        data.labels("test")
    assert data.with_augment("side_on").files("test") == data.files("test")
