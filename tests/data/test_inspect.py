import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasdl.data.inspect import check_images


def write_image(path, seed=0, size=(40, 30), kind=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    Image.fromarray(pixels.astype("uint8")).save(path, kind)


@pytest.fixture
def photos(tmp_path):
    """Two splits of two classes, three images each, every one different."""
    for seed, place in enumerate(
        f"{split}/{name}/{number}.png"
        for split in ("train", "valid")
        for name in ("cats", "dogs")
        for number in range(3)
    ):
        write_image(tmp_path / "photos" / place, seed)
    return tmp_path / "photos"


def check(path, **options):
    return check_images(path, verbose=0, **options)


def test_clean_photos(photos):
    result = check(photos)
    assert result.counts.index.tolist() == ["train", "valid"]
    assert result.counts.columns.tolist() == ["cats", "dogs"]
    assert result.counts.to_numpy().tolist() == [[3, 3], [3, 3]]
    assert result.sizes.shape == (12, 2)
    assert result.sizes.loc["train/cats/0.png"].to_dict() == {"height": 30, "width": 40}
    assert not (result.damaged or result.wrong_suffix or result.ignored)
    assert not result.duplicates
    assert "12 usable images, 0 damaged" in str(result)


def test_every_damaged_file_is_named_with_its_reason(photos):
    cats = photos / "train/cats"
    whole = (cats / "0.png").read_bytes()
    (cats / "cut.png").write_bytes(whole[: len(whole) // 2])
    (cats / "empty.jpg").touch()
    (cats / "letter.jpg").write_text("a letter, not a photo")
    (cats / "lost.jpg").symlink_to(photos / "absent.jpg")
    Image.new("1", (10000, 10000)).save(cats / "huge.png")
    (cats / "note.txt").write_text("note")
    (cats / ".hidden.jpg").touch()
    result = check(photos)
    assert result.damaged == {
        "train/cats/cut.png": "truncated",
        "train/cats/empty.jpg": "empty file",
        "train/cats/huge.png": "above the pixel limit (10000 x 10000)",
        "train/cats/letter.jpg": "not an image (JPEG, PNG, BMP, GIF, WEBP or TIFF)",
        "train/cats/lost.jpg": "unreadable: No such file or directory",
    }
    assert result.ignored == ["train/cats/note.txt"]
    assert result.counts.loc["train", "cats"] == 3
    assert len(result.sizes) == 12
    for name, reason in result.damaged.items():
        assert f"damaged: {name}: {reason}" in str(result)
    assert "ignored: train/cats/note.txt" in str(result)


def test_of_many_other_files_some_are_named(write_photos, tmp_path):
    write_photos(tmp_path, {"": 1}, "ab")
    for number in range(30):
        (tmp_path / "a" / f"{number:02}.xml").touch()
    (said,) = [
        line for line in str(check_images(tmp_path)).splitlines() if "xml" in line
    ]
    assert said.startswith("ignored: 'a/00.xml', 'a/01.xml', ")
    assert said.endswith(" (30 in all)")


def test_a_class_with_nothing_usable_counts_zero(photos):
    for path in (photos / "valid/dogs").iterdir():
        path.write_bytes(b"")
    assert check(photos).counts.loc["valid", "dogs"] == 0


def test_nothing_usable_at_all(tmp_path):
    (tmp_path / "empty.jpg").touch()
    result = check(tmp_path)
    assert result.counts.to_numpy().tolist() == [[0]]
    assert "0 usable images, 1 damaged" in str(result)
    result.plot(tmp_path / "sizes.png")


def test_a_wrong_suffix_is_found_and_the_image_used(photos):
    write_image(photos / "train/cats/3.JPG", 3, kind="PNG")
    write_image(photos / "train/cats/4.jpeg", 4, kind="JPEG")
    result = check(photos)
    assert result.wrong_suffix == {"train/cats/3.JPG": "PNG"}
    assert result.counts.loc["train", "cats"] == 5
    assert "other format: train/cats/3.JPG is PNG" in str(result)


def test_duplicates_within_and_across_splits(photos):
    write_image(photos / "train/cats/same.png", 0)
    write_image(photos / "valid/dogs/leak.png", 5)
    for name in ("a", "b"):
        (photos / f"train/dogs/{name}.jpg").touch()  # equal, but of no use
    result = check(photos)
    assert result.duplicates == [
        ["train/cats/0.png", "train/cats/same.png"],
        ["train/dogs/2.png", "valid/dogs/leak.png"],
    ]
    report = str(result)
    assert "duplicates: train/cats/0.png, train/cats/same.png" in report
    assert "duplicates across splits: train/dogs/2.png, valid/dogs/leak.png" in report


def test_digests_and_fingerprint_follow_names_and_contents(photos):
    first = check(photos, workers=1)
    name = "train/cats/0.png"
    content = (photos / name).read_bytes()
    assert first.digests[name] == hashlib.sha256(content).hexdigest()
    assert check(photos, workers=3).fingerprint == first.fingerprint
    os.rename(photos / name, photos / "train/cats/9.png")
    renamed = check(photos).fingerprint
    write_image(photos / "train/cats/9.png", 99)
    assert len({first.fingerprint, renamed, check(photos).fingerprint}) == 3


def test_class_folders_alone(photos):
    write_image(photos / "train/dogs/puppies/1.png", 50)
    counts = check(photos / "train").counts
    assert counts.index.tolist() == ["all"]
    assert counts.loc["all"].to_dict() == {"cats": 3, "dogs": 4}


def test_a_flat_folder(photos):
    counts = check(photos / "train/cats").counts
    assert counts.loc["all"].to_dict() == {"": 3}


def test_a_class_named_train_is_no_split(tmp_path):
    write_image(tmp_path / "train/1.png", 1)
    write_image(tmp_path / "plane/1.png", 2)
    assert check(tmp_path).counts.loc["all"].to_dict() == {"plane": 1, "train": 1}


def test_splits_keep_their_order_and_a_flat_test_folder_has_no_class(photos):
    write_image(photos / "test/1.png", 60)
    counts = check(photos).counts
    assert counts.index.tolist() == ["train", "valid", "test"]
    assert counts.loc["test"].to_dict() == {"": 1, "cats": 0, "dogs": 0}


def test_size_is_that_of_the_upright_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "1.jpg", exif=exif.tobytes())
    assert check(tmp_path).sizes.loc["1.jpg"].tolist() == [40, 30]


def test_max_pixels(photos):
    write_image(photos / "train/cats/wide.png", 70, size=(41, 30))
    damaged = check(photos, max_pixels=1200).damaged
    assert damaged == {"train/cats/wide.png": "above the pixel limit (41 x 30)"}


def test_progress_is_ten_lines_where_there_is_no_terminal(photos, capsys):
    check_images(photos)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1] == "checking images: 12 of 12"


def test_progress_is_a_bar_on_a_terminal(photos, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    check_images(photos)
    assert "12/12" in capsys.readouterr().err


def test_no_progress_when_not_verbose(photos, capsys):
    check(photos)
    assert capsys.readouterr() == ("", "")


def test_plot_is_a_picture(photos, tmp_path):
    check(photos).plot(tmp_path / "sizes.png")
    with Image.open(tmp_path / "sizes.png") as image:
        assert image.size == (1440, 480)
        assert len(image.convert("RGB").getcolors(100_000)) > 3


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="`path` must be an existing directory"):
        check(tmp_path / "absent")
    with pytest.raises(ValueError, match=r"`path` must hold images.*\(0 images\)"):
        check(tmp_path)
    with pytest.raises(ValueError, match="`max_pixels` must be an integer"):
        check(tmp_path, max_pixels=0)
    with pytest.raises(ValueError, match="`workers` must be an integer"):
        check(tmp_path, workers=0)
    with pytest.raises(ValueError, match="`verbose` must be one of 0, 1"):
        check_images(tmp_path, verbose=2)


@pytest.mark.skipif("KERASDL_DATA" not in os.environ, reason="needs KERASDL_DATA")
def test_real_photos():
    result = check(Path(os.environ["KERASDL_DATA"]) / "data/cats_dogs/valid")
    assert not result.damaged
    assert result.counts.loc["all"].to_dict() == {"cats": 500, "dogs": 500}
