import struct
import zlib
from base64 import b64encode

import numpy as np
import pytest
from starlette.exceptions import HTTPException

from kerasdl.data import read_image, warp_image
from kerasdl.serving.images import declared_pixels, from_base64, from_file

SIZE = (8, 12)
LIMIT = 1_000_000


def refused(status, message):
    return pytest.raises(HTTPException, match=rf"^{status}: .*{message}")


def png_that_declares(width, height):
    """A PNG of a few bytes whose header promises more."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" * 100)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize("resize", ["crop", "squash", "pad"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP"])
def test_files_get_the_pixels_of_training(photo, tmp_path, kind, resize):
    data = photo(1, (50, 70), kind)
    (tmp_path / "photo").write_bytes(data)
    expected = warp_image(read_image(tmp_path / "photo", SIZE), SIZE, resize)
    found, decoded = from_file(data, SIZE, resize, LIMIT)
    np.testing.assert_array_equal(found, expected)
    # A JPEG is read at a quarter, rounded up: its sides are still those of the model.
    assert decoded == (13 * 18 if kind == "JPEG" else 50 * 70)
    assert declared_pixels(data) == 50 * 70


def test_pixels_are_counted_before_decoding(photo):
    data = photo(1, (20, 30), "PNG")
    assert from_file(data, SIZE, "crop", 600)[0].shape == (8, 12, 3)
    with refused(413, r"above the pixel limit \(30 x 20\) of 599"):
        from_file(data, SIZE, "crop", 599)
    with refused(413, r"above the pixel limit \(60000 x 60000\)"):
        from_file(png_that_declares(60_000, 60_000), SIZE, "crop", LIMIT)


def test_a_jpeg_of_a_thousand_scans_is_not_decoded(photo):
    data = photo(kind="JPEG", progressive=True)
    assert from_file(data, SIZE, "crop", LIMIT)[0].shape == (8, 12, 3)
    last = data[data.rindex(b"\xff\xda") : -2]
    with refused(400, "the JPEG has more than 50 scans"):
        from_file(data[:-2] + last * 1000 + data[-2:], SIZE, "crop", LIMIT)


def test_a_film_behind_the_photo_is_no_scan(photo):
    data = photo()
    film = np.random.default_rng(0).bytes(100) + b"\xff\xda\0\x02" * 1000
    np.testing.assert_array_equal(
        from_file(data + film, SIZE, "crop", LIMIT)[0],
        from_file(data, SIZE, "crop", LIMIT)[0],
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"GET / HTTP/1.1", "not an image"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (png_that_declares(20, 20), "damaged"),
    ],
)
def test_what_is_no_picture_is_refused(data, reason):
    with refused(400, reason):
        from_file(data, SIZE, "crop", LIMIT)


def test_what_has_no_header_declares_nothing():
    with refused(400, "not an image"):
        declared_pixels(b"GET / HTTP/1.1")


def test_base64():
    text = b64encode(b"\0\xff photo").decode()
    for each in (text, f"{text[:5]}\r\n{text[5:]}\n", f" {text[:3]}\t{text[3:]}"):
        assert from_base64({"b64": each}) == b"\0\xff photo"
    for value in ("text", None, {"b64": 1}, {"b64": "AAAA", "path": "/etc/passwd"}, []):
        with refused(400, "Base64 text of an image file"):
            from_base64(value)
    for text in ("AAA", "A*AA", "ÄÄÄÄ", "../photo.jpg"):
        with refused(400, "b64 must be Base64 text"):
            from_base64({"b64": text})
