"""No length that a file declares is believed beyond its bytes, before any decoder."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from kerasdl.data import ImageError, decode_image, encoded_size
from kerasdl.data._decode import cv2
from kerasdl.data.formats import format_of, read_header

RGB = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), "uint8"))
HUGE = 0xFFFFFFF0


def saved(kind, image=RGB, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def patched(data, place, layout, *values):
    body = struct.pack(layout, *values)
    return data[:place] + body + data[place + len(body) :]


def chunk(name, body):
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


def riff(*chunks):
    body = b"WEBP" + b"".join(n + struct.pack("<I", len(b)) + b for n, b in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tag(data, number, value, *, kind=4, count=1):
    """`data`, a TIFF of Pillow, with another value of a tag."""
    place = data.index(struct.pack("<H", number), data.index(b"\0\1\4\0\1\0\0\0") - 1)
    return patched(data, place, "<HHII", number, kind, count, value)


PNG, JPEG, GIF, BMP, WEBP, TIFF = map(
    saved, ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
)
CANVAS = struct.pack("<B3x", 0) + b"\x03\0\0" * 2  # 4 x 4
FRAME = bytes(16)
PICTURE = WEBP[20:]
SCAN = JPEG.index(b"\xff\xda")
LIES = {
    # The one that made OpenCV reserve 8 GB.
    "png text": (PNG[:33] + struct.pack(">I", HUGE) + b"tEXt" + b"a" * 99, "truncated"),
    "png pixels": (patched(PNG, 33, ">I", HUGE), "truncated"),
    "png end": (patched(PNG, len(PNG) - 12, ">I", HUGE), "truncated"),
    "png no pixels": (patched(PNG, 16, ">II", 0, 9), "damaged"),
    "jpeg segment": (patched(JPEG, 4, ">H", 0xFFFF), "truncated"),
    "jpeg no segment": (patched(JPEG, 4, ">H", 0), "damaged"),
    "jpeg scan": (patched(JPEG, SCAN + 2, ">H", 0xFFFF), "truncated"),
    "jpeg height 0": (patched(JPEG, JPEG.index(b"\xff\xc0") + 5, ">H", 0), "damaged"),
    "jpeg short frame": (
        patched(JPEG, JPEG.index(b"\xff\xc0") + 9, ">B", 200),
        "damaged: a short frame",
    ),
    "jpeg no components": (
        patched(JPEG, JPEG.index(b"\xff\xc0") + 9, ">B", 0),
        "damaged: a short frame",
    ),
    "jpeg two frames": (JPEG[:SCAN] + JPEG[2:], "damaged: a second frame"),
    "gif block": (GIF[:-2] + b"\xff;", "truncated"),
    "gif colours": (GIF[:10] + b"\x87" + GIF[11:40], "truncated"),
    "gif no frame": (GIF[:13] + b";", "damaged|truncated"),
    "bmp rows": (patched(BMP, 22, "<i", 1000), "truncated"),
    "bmp start": (patched(BMP, 10, "<I", HUGE), "truncated"),
    "bmp palette": (
        patched(saved("BMP", RGB.quantize(9)), 46, "<I", HUGE),
        "damaged: depth or palette",
    ),
    "bmp header": (patched(BMP, 14, "<I", HUGE), "damaged: no header"),
    "webp file": (patched(WEBP, 4, "<I", HUGE), "truncated"),
    "webp chunk": (patched(WEBP, 16, "<I", HUGE), "truncated"),
    "webp frame": (riff((b"VP8X", CANVAS), (WEBP[12:16], PICTURE)), "a frame larger"),
    "webp animation": (
        riff((b"VP8X", CANVAS), (b"ANMF", FRAME + WEBP[12:])),
        "a frame larger",
    ),
    "webp nothing": (riff((b"VP8X", CANVAS)), "no chunk of an image"),
    "tiff strip": (tag(TIFF, 279, HUGE), "truncated"),
    "tiff strip's place": (tag(TIFF, 273, HUGE), "truncated"),
    "tiff rows": (tag(TIFF, 257, 31), "truncated"),
    "tiff directory": (patched(TIFF, 4, "<I", HUGE), "truncated"),
    "tiff tag": (tag(TIFF, 273, 8, count=HUGE), "truncated"),
    "tiff tags": (tag(TIFF, 258, 0, kind=1, count=len(TIFF)), "its tags overlap"),
    "tiff channels": (tag(TIFF, 277, 60_000), "damaged: number of channels"),
    "ppm rows": (b"P6 40 31 255\n" + RGB.tobytes(), "truncated"),
    "ppm nothing": (b"P6 but a letter", "damaged: no header"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_length_that_lies_is_an_error_before_any_decoder(name, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", None)
    monkeypatch.setattr("kerasdl.data._pillow_pixels._FILES", {})
    data, said = LIES[name]
    for read in (decode_image, encoded_size):
        with pytest.raises(ImageError, match=f"a photo.ppm: .*{said}"):
            read(data, "a photo.ppm")


def frames(kind, **options):
    others = [RGB.rotate(turn) for turn in (90, 180)]
    return saved(kind, save_all=True, append_images=others, **options)


HIDDEN = {
    "text of png": (
        PNG[:33] + chunk(b"zTXt", b"a\0\0" + bytes(99)) + PNG[33:],
        b"zTXt",
    ),
    "profile of png": (PNG[:33] + chunk(b"iCCP", bytes(99)) + PNG[33:], b"iCCP"),
    "frames of png": (frames("PNG"), b"fdAT"),
    "profile of jpeg": (saved("JPEG", icc_profile=b"profile" * 9), b"profile"),
    "comment of gif": (saved("GIF", comment=b"a comment"), b"a comment"),
    "profile of webp": (saved("WEBP", icc_profile=b"profile" * 9), b"profile"),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_pixels_do_not_need_reaches_no_decoder(name):
    data, hidden = HIDDEN[name]
    assert hidden in data
    assert hidden not in read_header(data, format_of(data)).content
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(decode_image(data, "a photo"), expected)


def test_ppm_goes_by_its_name():
    data = saved("PPM")
    np.testing.assert_array_equal(decode_image(data, "a.ppm"), np.asarray(RGB))
    with pytest.raises(ImageError, match="a photo: not an image"):
        decode_image(data, "a photo")


def test_a_gif_with_nothing_between_its_blocks():
    np.testing.assert_array_equal(
        decode_image(GIF[:-1] + b"\0\0;", "a"), decode_image(GIF, "a")
    )


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame_alone_is_kept(kind):
    data = frames(kind)
    header = read_header(data, kind)
    assert len(header.content) < len(data) / 2
    assert getattr(Image.open(io.BytesIO(header.content)), "n_frames", 1) == 1


def test_a_gif_is_as_large_as_its_frame():
    data = patched(GIF, 6, "<HH", 1, 1)
    assert encoded_size(data, "a photo") == (30, 40)
    with pytest.raises(ImageError, match=r"above the pixel limit \(40 x 30\)"):
        decode_image(data, "a photo", max_pixels=1199)
    assert decode_image(data, "a photo").shape == (30, 40, 3)


def test_a_second_header_of_a_png_is_left_out():
    data = PNG[:33] + chunk(b"IHDR", PNG[16:24] * 2) + PNG[33:]
    assert read_header(data, "PNG").content == PNG


def test_of_a_tiff_one_page_is_kept_and_no_text():
    options = {"tiffinfo": {305: "a program"}, "append_images": [RGB]}
    data = saved("TIFF", save_all=True, **options)
    with Image.open(io.BytesIO(data)) as whole:
        assert (whole.n_frames, whole.tag_v2[305]) == (2, "a program")
    with Image.open(io.BytesIO(read_header(data, "TIFF").content)) as kept:
        assert (kept.n_frames, 305 in kept.tag_v2) == (1, False)
        np.testing.assert_array_equal(np.asarray(kept), np.asarray(RGB))


def test_a_jpeg_of_a_thousand_scans_is_not_decoded():
    data = saved("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="the JPEG has more than 50 scans"):
        decode_image(data[:-2] + data[last:-2] * 1000 + data[-2:], "a photo")


def test_a_small_jpeg_of_many_pixels_is_not_made_up():
    """It ends after a few blocks: a decoder would fill 64 million pixels with grey."""
    large = patched(JPEG, JPEG.index(b"\xff\xc0") + 5, ">HH", 8000, 8000)
    with pytest.raises(ImageError, match="a photo: damaged"):
        decode_image(large, "a photo")


def test_memory_of_all_scans_counts():
    whole, in_scans = saved("JPEG"), saved("JPEG", progressive=True)
    assert decode_image(whole, "a", (4, 5), 80).shape == (8, 10, 3)
    assert decode_image(in_scans, "a", (4, 5), 1200).shape == (8, 10, 3)
    with pytest.raises(ImageError, match=r"pixel limit \(40 x 30\)"):
        decode_image(in_scans, "a", (4, 5), 1199)


PARTS = 300_000  # each would be a turn of a loop
MANY = {
    "segments": b"\xff\xd8" + b"\xff\xe5\0\2" * PARTS,
    "restarts": JPEG[:SCAN].replace(b"\xff\xc0", b"\xff\xc2")
    + JPEG[SCAN : SCAN + 14]
    + b"\xff\xd0" * PARTS,
    "chunks": PNG[:33] + chunk(b"tEXt", b"") * PARTS,
    "blocks": b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2" + b"\1a" * PARTS,
    "riff chunks": riff(*[(b"NONE", b"")] * PARTS),
    "tags": b"II+\0\x08\0\0\0\x10" + bytes(7) + struct.pack("<Q", PARTS),
}


@pytest.mark.parametrize("name", MANY)
def test_the_number_of_parts_has_a_limit(name):
    with pytest.raises(ImageError, match="a photo: damaged: more than 262144 parts"):
        encoded_size(MANY[name], "a photo")
