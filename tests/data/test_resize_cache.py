import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasdl.data import ImageData, ImageError, read_image, resize_photos

SIZES = {"tall.jpg": (40, 90), "wide.png": (120, 50), "small.jpg": (20, 30)}


@pytest.fixture
def photos(tmp_path, rng):
    """Photos of several sizes, (width, height), that are smooth."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, size in SIZES.items():
        coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        coarse.resize(size, Image.Resampling.BICUBIC).save(folder / name, quality=95)
    return [folder / name for name in SIZES]


@pytest.fixture
def shrink(tmp_path):
    options = {"cache_dir": tmp_path / "cache", "verbose": 0}
    return lambda paths, side=25, **more: resize_photos(paths, side, **options | more)


def test_the_shorter_side_is_what_was_asked_for(photos, shrink):
    tall, wide, small = shrink(photos)
    assert read_image(tall).shape == (56, 25, 3)  # 90 * 25 / 40
    assert read_image(wide).shape == (25, 60, 3)
    assert all(Image.open(path).format == "JPEG" for path in (tall, wide, small))


def test_a_photo_that_is_not_larger_is_copied_as_it_is(photos, shrink):
    *_, small = shrink(photos)
    assert small.read_bytes() == photos[2].read_bytes()
    exact = shrink(photos[:1], side=40)[0]
    assert exact.read_bytes() == photos[0].read_bytes()
    # Twice as large as asked for, which a decoder can do by itself: still a copy.
    half = shrink(photos[:1], side=20)[0]
    assert read_image(half).shape == (45, 20, 3)


def test_the_copy_looks_like_the_photo(photos, shrink):
    for photo, copy in zip(photos, shrink(photos), strict=True):
        ours = read_image(copy).astype(float)
        expected = Image.open(photo).resize(ours.shape[1::-1], Image.Resampling.BOX)
        assert np.abs(ours - np.asarray(expected)).mean() < 4


def test_turned_upright(tmp_path, shrink):
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[:, :50] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right: what is left comes up
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    copy = read_image(shrink([tmp_path / "turned.jpg"], side=30)[0])
    assert copy.shape == (50, 30, 3)
    assert copy[:20].min() > 200 and copy[30:].max() < 55


def test_a_second_call_makes_nothing_anew(photos, shrink):
    first = shrink(photos)
    times = [path.stat().st_mtime_ns for path in first]
    assert shrink(photos) == first
    assert [path.stat().st_mtime_ns for path in first] == times
    first[1].unlink()  # what a killed call had not made yet
    shrink(photos)
    assert first[1].exists()
    assert [path.stat().st_mtime_ns for path in (first[0], first[2])] == times[::2]


def test_a_killed_call_is_continued(photos, shrink, tmp_path, forks, programs):
    program = programs / "killed_while_resizing.py"
    ((code, *_),) = forks([program, photos[0].parent, tmp_path / "cache"])
    assert code == -9
    (left,) = (tmp_path / "cache").rglob("*.jpg")
    time = left.stat().st_mtime_ns
    copies = shrink(photos)
    assert copies[0] == left and left.stat().st_mtime_ns == time
    assert [read_image(copy).shape[:2] for copy in copies] == [
        (56, 25),
        (25, 60),
        (30, 20),
    ]


def test_a_changed_photo_is_copied_anew(photos, shrink):
    before = shrink(photos)
    Image.new("RGB", (50, 50), (0, 200, 0)).save(photos[0])
    after = shrink(photos)
    assert after[0] != before[0] and after[1:] == before[1:]
    assert np.abs(read_image(after[0]).mean(axis=(0, 1)) - [0, 200, 0]).max() < 4
    os.utime(photos[1], ns=(1, 1))
    assert shrink(photos) == after
    assert shrink(photos, side=26)[2] != after[2]
    assert shrink(photos, quality=80)[2] != after[2]


def test_an_edit_that_keeps_size_and_time_shows(tmp_path, shrink):
    photo = tmp_path / "a.bmp"
    Image.new("RGB", (60, 60), "red").save(photo)
    os.utime(photo, ns=(1, 1))
    before = photo.stat()
    first = shrink([photo])[0]
    with open(photo, "rb+") as file:  # in place: the inode stays too
        file.seek(54)
        file.write(bytes([255, 0, 0]) * 60 * 60)  # blue
    os.utime(photo, ns=(1, 1))
    after = photo.stat()
    same = ("st_size", "st_mtime_ns", "st_ino")
    assert [getattr(before, n) for n in same] == [getattr(after, n) for n in same]
    second = shrink([photo])[0]
    assert read_image(first)[5, 5].argmax() == 0
    assert read_image(second)[5, 5].argmax() == 2


def test_one_copy_for_one_content_wherever_it_lies(photos, shrink, tmp_path):
    first = shrink(photos)[1]
    (tmp_path / "moved").mkdir()
    moved = photos[1].rename(tmp_path / "moved" / "wide.png")
    assert shrink([moved]) == [first]


def test_what_killed_calls_left_is_removed(photos, shrink, left_by_a_kill):
    folder = shrink(photos)[0].parent
    left = left_by_a_kill(folder / "gone.jpg")
    copies = shrink(photos)
    assert not left.exists() and sorted(folder.iterdir()) == sorted(copies)


def test_a_folder_that_cannot_be_written_to_is_refused(photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="`cache_dir` must be a folder that can be"):
        resize_photos(photos, 25, cache_dir=tmp_path / "file", verbose=0)


def test_damaged_photos_follow_on_error(photos, shrink):
    photos[1].write_bytes(b"\x89PNG\r\n\x1a\nno photo")
    with pytest.raises(ImageError, match=r"wide\.png: truncated"):
        shrink(photos, on_error="raise")
    copies = shrink([*photos, Path("gone.jpg")])
    assert copies[1] == photos[1] and copies[3] == Path("gone.jpg")
    assert copies[0] != photos[0] and copies[2] != photos[2]


def test_the_cache_of_the_user(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    (copy,) = resize_photos(photos[:1], 25)
    assert copy.parent == tmp_path / "home" / "kerasdl" / "resized" / "25-95"
    assert "photos of 25 pixels: 1 of 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"side": 0}, "`side` must be an integer of at least 1"),
        ({"quality": 0}, "`quality` must be an integer of at least 1"),
        ({"quality": 101}, "`quality` must be at most 100"),
        ({"workers": 0}, "`workers` must be an integer"),
        ({"verbose": 2}, "`verbose` must be one of 0, 1"),
        ({"on_error": "warn"}, "`on_error` must be one of 'skip', 'raise'"),
    ],
)
def test_wrong_arguments(photos, shrink, options, message):
    with pytest.raises(ValueError, match=message):
        shrink(photos, **options)


# ImageData


@pytest.fixture
def data(tmp_path, rng):
    for split in ("train", "valid", "test"):
        for name in ("a", "b"):
            (tmp_path / "set" / split / name).mkdir(parents=True)
            for i in range(3):
                coarse = Image.fromarray(rng.integers(0, 256, (3, 3, 3), np.uint8))
                photo = coarse.resize((64, 48), Image.Resampling.BICUBIC)
                photo.save(tmp_path / "set" / split / name / f"{i}.png")
    return ImageData.from_folder(
        tmp_path / "set", test="test", image_size=16, batch_size=4, seed=1
    )


def test_the_same_data_over_the_copies(data, tmp_path):
    small = data.resize_to(24, cache_dir=tmp_path / "cache", verbose=0)
    assert small.splits == data.splits and small.class_names == data.class_names
    for split in data.splits:
        assert small.files(split) == data.files(split)
        np.testing.assert_array_equal(small.labels(split), data.labels(split))
        assert [path.parts[-2] for path in small.paths(split)] == ["24-95"] * 6
        for row in range(6):
            ours, theirs = small.read(split, row), data.read(split, row)
            assert np.abs(ours.astype(int) - theirs).mean() < 6
    (images, labels), (_, expected) = next(iter(small.train)), next(iter(data.train))
    np.testing.assert_array_equal(labels, expected)
    assert images.shape == (4, 16, 16, 3)
    larger = small.with_image_size(24)
    assert larger.paths("train") == small.paths("train")


def test_a_damaged_photo_is_left_out_later(data, tmp_path):
    data.paths("valid")[0].write_bytes(b"")
    small = data.resize_to(24, cache_dir=tmp_path / "cache", verbose=0)
    assert small.files("valid") == data.files("valid")
    with pytest.warns(UserWarning, match=r"left out .*valid/a/0\.png: empty file"):
        assert sum(len(labels) for _, labels in small.valid) == 5


def test_copies_that_would_be_enlarged(data):
    with pytest.raises(ValueError, match=r"`side` must be at least.*side=15"):
        data.resize_to(15)
    with pytest.raises(ValueError, match="`side` must be an integer"):
        data.resize_to("16")
    arrays = ImageData.from_arrays(np.zeros((8, 4, 4), "uint8"), [0, 1] * 4, seed=1)
    with pytest.raises(ValueError, match="`paths` needs photos that are files"):
        arrays.resize_to(8)
