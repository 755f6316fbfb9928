"""JPEGs that are damaged in the middle: what is found, where, and who says so."""

import io
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from kerasdl.data import (
    ImageError,
    check_images,
    decode_image,
    image_folder,
    read_image,
)

COARSE = np.random.default_rng(0).integers(0, 256, (12, 18, 3), "uint8")
PHOTO = Image.fromarray(cv2.resize(COARSE, (300, 200), interpolation=cv2.INTER_CUBIC))


def encoded(**options):
    stream = io.BytesIO()
    PHOTO.save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


WHOLE = encoded()
START, MIDDLE = WHOLE.index(b"\xff\xda") + 14, len(WHOLE) // 2
AT = slice(MIDDLE, MIDDLE + 200)


def replaced(content):
    return WHOLE[: AT.start] + content + WHOLE[AT.stop :]


FOUND = {
    "zeros": replaced(bytes(200)),
    "lost": replaced(b""),
    "ones": replaced(b"\xff" * 200),
    "another file": replaced(WHOLE[:200]),
    "a frame": replaced(b"\xff\xc0" + bytes(198)),
}
# Blocks too many: a decoder has all it needs, and what follows is shifted.
SHIFTED = {"twice": WHOLE[: AT.stop] + WHOLE[AT.start :]}
RESTARTS = encoded(restart_marker_blocks=20)


@pytest.fixture
def photos(tmp_path):
    """`photos(data)`: a folder of two classes of whole photos, and a/bad.jpg."""

    def write(data):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            for number in range(2):
                (tmp_path / name / f"{number}.jpg").write_bytes(WHOLE)
        (tmp_path / "a" / "bad.jpg").write_bytes(data)
        return tmp_path

    return write


def count(folder, **options):
    dataset, _ = image_folder(folder, 32, shuffle=False, **options)
    return sum(len(images) for images, _ in dataset)


@pytest.mark.parametrize("name", FOUND)
def test_what_reading_finds_is_named_and_left_out(photos, name, capfd):
    folder = photos(FOUND[name])
    with pytest.warns(UserWarning, match=r"left out .*bad\.jpg: damaged"):
        assert count(folder) == 4
    with pytest.raises(Exception, match=r"bad\.jpg: damaged"):
        count(folder, on_error="raise")
    assert "JPEG" not in capfd.readouterr().err  # libjpeg's lines name no file


@pytest.mark.parametrize("name", FOUND | SHIFTED)
def test_the_doctor_finds_more(photos, name, capfd):
    found = check_images(photos((FOUND | SHIFTED)[name]), verbose=0).damaged
    assert [*found] == ["a/bad.jpg"]
    assert found["a/bad.jpg"].startswith("damaged")
    assert "JPEG" not in capfd.readouterr().err


def test_blocks_too_many_are_the_doctors(photos, capfd):
    folder = photos(SHIFTED["twice"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert count(folder) == 5
    assert "JPEG" not in capfd.readouterr().err
    assert check_images(folder, verbose=0).damaged == {
        "a/bad.jpg": "damaged: too many blocks"
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda data, one, two: data[:one] + data[one + 2 :],  # a restart is lost
        lambda data, one, two: data[:one] + data[two:],  # with what follows it
        lambda data, one, two: data[:one] + b"\xff\xd7" + data[one + 2 :],
    ],
)
def test_restarts_are_counted(change):
    one, two = RESTARTS.index(b"\xff\xd1", START), RESTARTS.index(b"\xff\xd2", START)
    with pytest.raises(ImageError, match="bad.jpg: damaged: a marker within|truncated"):
        decode_image(change(RESTARTS, one, two), "bad.jpg")


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        RESTARTS,
        encoded(progressive=True),
        WHOLE[:-2] + b"\xff" + WHOLE[-2:],  # padding before a marker
        WHOLE + b"a maker's own data \xff\xd8\xff",
        WHOLE.replace(b"JFIF\0\1\1", b"JFIF\0\0\0"),  # libjpeg would write a line
    ],
)
def test_whole_photos_are_read_without_a_word(photos, data, capfd):
    folder = photos(data)
    expected = np.asarray(Image.open(folder / "a" / "bad.jpg"))
    np.testing.assert_array_equal(read_image(folder / "a" / "bad.jpg"), expected)
    assert not check_images(folder, verbose=0).damaged
    assert not capfd.readouterr().err


def test_damage_within_scans_and_restarts_writes_nothing(tmp_path, capfd):
    rng = np.random.default_rng(0)
    for data in (encoded(progressive=True), RESTARTS):
        start = data.index(b"\xff\xda") + 20
        for _ in range(40):
            damaged = bytearray(data)
            for place in rng.integers(start, len(data) - 2, 5):
                damaged[place] = rng.integers(256)
            try:
                decode_image(bytes(damaged), "a photo")
            except ImageError as error:
                assert str(error).startswith("a photo: ")
    assert not capfd.readouterr().err


@pytest.mark.parametrize("cut", [1, 2])
def test_a_png_of_a_wrong_checksum_writes_nothing(tmp_path, cut, capfd):
    PHOTO.save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[len(data) // 2 * cut - 30] ^= 1
    with pytest.raises(ImageError, match="a.png: damaged: checksum of IDAT"):
        decode_image(bytes(data), "a.png")
    assert not capfd.readouterr().err
