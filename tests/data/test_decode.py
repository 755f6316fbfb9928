import io
import pickle
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from kerasdl.data import _decode
from kerasdl.data._decode import ImageError, image_size, read_image


def picture(height=60, width=90):
    """A smooth coloured picture, so that JPEG changes it little."""
    coarse = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return Image.fromarray(
        cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    )


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def write(folder, data, name="image.jpg"):
    path = folder / name
    path.write_bytes(data)
    return path


def exif(orientation, endian="<"):
    block = Image.Exif()
    block.endian = endian
    block[0x010F] = "a maker, stored behind the entries"
    block[0x0112] = orientation
    return block.tobytes()


def with_alpha(image):
    image = image.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


VARIANTS = {
    "jpeg": lambda image: encode(image, "JPEG"),
    "progressive jpeg": lambda image: encode(image, "JPEG", progressive=True),
    "gray jpeg": lambda image: encode(image.convert("L"), "JPEG"),
    "cmyk jpeg": lambda image: encode(image.convert("CMYK"), "JPEG"),
    "png": lambda image: encode(image, "PNG"),
    "gray png": lambda image: encode(image.convert("L"), "PNG"),
    "one-bit png": lambda image: encode(image.convert("1"), "PNG"),
    "alpha png": lambda image: encode(with_alpha(image), "PNG"),
    "gray alpha png": lambda image: encode(with_alpha(image).convert("LA"), "PNG"),
    "palette png": lambda image: encode(image.convert("P"), "PNG"),
    "palette alpha png": lambda image: encode(with_alpha(image).quantize(64), "PNG"),
    "bmp": lambda image: encode(image, "BMP"),
    "palette bmp": lambda image: encode(image.convert("P"), "BMP"),
    "gif": lambda image: encode(image.convert("P"), "GIF"),
    "animated gif": lambda image: encode(
        image, "GIF", save_all=True, append_images=[image.rotate(180)]
    ),
    "webp": lambda image: encode(image, "WEBP"),
    "lossless webp": lambda image: encode(image, "WEBP", lossless=True),
    "alpha webp": lambda image: encode(
        with_alpha(image), "WEBP", lossless=True, exact=True
    ),
    "animated webp": lambda image: encode(
        image, "WEBP", save_all=True, append_images=[image.rotate(180)]
    ),
}


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
@pytest.mark.parametrize("variant", VARIANTS)
def test_pixels_are_those_of_pillow(tmp_path, variant):
    path = write(tmp_path, VARIANTS[variant](picture()))
    with Image.open(path) as image:
        expected = np.asarray(image.convert("RGB"))
    pixels = read_image(path)
    assert pixels.dtype == np.uint8
    assert image_size(path) == expected.shape[:2]
    # One step: the two round CMYK differently.
    np.testing.assert_allclose(pixels.astype(int), expected, atol=1)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_of_16_bits_the_upper_8_are_kept(tmp_path, channels):
    shape = (20, 30, channels)
    deep = np.random.default_rng(0).integers(0, 2**16, shape, dtype=np.uint16)
    path = write(tmp_path, cv2.imencode(".png", deep)[1].tobytes())
    rgb = deep.repeat(3, axis=2) if channels == 1 else deep[..., 2::-1]  # OpenCV: BGR
    np.testing.assert_array_equal(read_image(path), rgb // 256)


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation, kind, endian):
    data = encode(picture(), kind, exif=exif(orientation, endian))
    path = write(tmp_path, data)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(read_image(path), expected)
    assert image_size(path) == expected.shape[:2]


def test_a_damaged_exif_block_does_not_spoil_the_image(tmp_path):
    data = encode(picture(), "JPEG", exif=exif(6)[:20])
    path = write(tmp_path, data)
    assert image_size(path) == (60, 90)
    assert read_image(path).shape == (60, 90, 3)


def test_size_is_not_that_of_an_embedded_thumbnail(tmp_path):
    thumbnail = encode(picture(12, 18), "JPEG")
    segment = b"\xff\xed" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = encode(picture(), "JPEG")
    # 0xFF may be repeated before a marker.
    path = write(tmp_path, data[:2] + segment + b"\xff\xff" + data[2:])
    assert image_size(path) == (60, 90)
    assert read_image(path).shape == (60, 90, 3)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, (403, 605)),
        ((404, 100), (403, 605)),
        ((202, 302), (403, 605)),
        ((201, 302), (202, 303)),
        ((100, 151), (101, 152)),
        ((100, 152), (202, 303)),
        ((50, 75), (51, 76)),
        ((1, 1), (51, 76)),
    ],
)
def test_a_jpeg_is_reduced_while_both_sides_cover_the_target(
    tmp_path, target, expected
):
    path = write(tmp_path, encode(picture(403, 605), "JPEG"))
    assert read_image(path, target).shape == (*expected, 3)


def test_target_is_of_the_upright_image(tmp_path):
    path = write(tmp_path, encode(picture(400, 600), "JPEG", exif=exif(6)))
    assert read_image(path, (300, 200)).shape == (300, 200, 3)
    assert read_image(path, (200, 300)).shape == (600, 400, 3)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("divisor", [2, 4, 8])
def test_a_reduced_jpeg_is_the_mean_of_its_blocks(tmp_path, mode, divisor):
    data = encode(picture(400, 600).convert(mode), "JPEG", quality=95)
    path = write(tmp_path, data)
    height, width = 400 // divisor, 600 // divisor
    blocks = read_image(path).reshape(height, divisor, width, divisor, 3)
    reduced = read_image(path, (height, width))
    assert reduced.shape == (height, width, 3)
    assert np.abs(reduced - blocks.mean(axis=(1, 3))).mean() < 1.5


def test_only_jpeg_is_reduced(tmp_path):
    path = write(tmp_path, encode(picture(400, 600), "PNG"))
    assert read_image(path, (10, 10)).shape == (400, 600, 3)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95, -1])
@pytest.mark.parametrize(
    "variant", ["jpeg", "progressive jpeg", "png", "bmp", "gif", "webp"]
)
def test_a_truncated_file_is_an_error(tmp_path, variant, share):
    data = VARIANTS[variant](picture())
    path = write(tmp_path, data[: -1 if share < 0 else max(12, int(share * len(data)))])
    with pytest.raises(ImageError, match="image.jpg: truncated") as error:
        read_image(path)
    assert error.value.path == path
    assert error.value.reason == "truncated"
    assert str(error.value) == f"{path}: truncated"


def test_a_truncated_jpeg_is_an_error_when_reduced(tmp_path):
    data = encode(picture(400, 600), "JPEG")
    path = write(tmp_path, data[: len(data) // 2])
    with pytest.raises(ImageError, match="image.jpg: truncated"):
        read_image(path, (50, 50))


def test_a_jpeg_with_bytes_after_its_end_is_whole(tmp_path):
    data = encode(picture(), "JPEG")
    whole = read_image(write(tmp_path, data))
    longer = read_image(write(tmp_path, data + b"a maker's own data"))
    np.testing.assert_array_equal(whole, longer)


def test_a_damaged_file_is_an_error(tmp_path):
    data = bytearray(encode(picture(), "PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ImageError, match="image.jpg: damaged"):
        read_image(write(tmp_path, data))


@pytest.mark.parametrize("read", [read_image, image_size])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"a letter, not a photo", "not an image"),
        (b"%PDF-1.7 a scan", "not an image"),
    ],
)
def test_what_is_no_image_is_an_error(tmp_path, data, reason, read):
    with pytest.raises(ImageError, match=f"image.jpg: {reason}"):
        read(write(tmp_path, data))


@pytest.mark.parametrize("read", [read_image, image_size])
def test_what_cannot_be_read_is_an_error(tmp_path, read):
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(ImageError, match="folder.jpg: unreadable: Is a directory"):
        read(tmp_path / "folder.jpg")
    with pytest.raises(ImageError, match="absent.jpg: unreadable: No such file"):
        read(tmp_path / "absent.jpg")


def test_an_image_above_the_pixel_limit_is_not_decoded(tmp_path, monkeypatch):
    path = write(tmp_path, encode(Image.new("1", (10000, 10000)), "PNG"), "huge.png")
    assert image_size(path) == (10000, 10000)
    monkeypatch.setattr(_decode.cv2, "imdecode", None)
    limit = r"huge.png: above the pixel limit \(10000 x 10000\)"
    with pytest.raises(ImageError, match=limit):
        read_image(path)


def test_a_second_header_does_not_hide_the_size(tmp_path):
    """To decoders TEM has no length: they take the frame that follows it at once."""
    photo = encode(picture(60, 90), "JPEG")
    frame = photo.index(b"\xff\xc0")
    small = photo[frame : frame + 19].replace(b"\0\x3c\0\x5a", b"\0\1\0\1")
    hidden = photo[:2] + b"\xff\x01" + photo[2:].ljust(70_000, b"\0") + small
    path = write(tmp_path, hidden)
    assert read_image(path).shape == (60, 90, 3)
    with pytest.raises(ImageError, match=r"pixel limit \(90 x 60\)"):
        read_image(path, max_pixels=60 * 90 - 1)


def test_a_webp_whose_size_no_chunk_says_is_an_error(tmp_path):
    """A decoder may take the bare image that follows the file's header."""
    photo = encode(picture(), "WEBP", lossless=True)
    assert photo[12:16] == b"VP8L"
    path = write(tmp_path, photo[:12] + photo[20:], "bare.webp")
    with pytest.raises(ImageError):
        image_size(path)


def test_max_pixels_is_the_largest_size_decoded(tmp_path):
    path = write(tmp_path, encode(picture(60, 90), "JPEG"))
    assert read_image(path, max_pixels=5400).shape == (60, 90, 3)
    with pytest.raises(ImageError, match=r"above the pixel limit \(90 x 60\)"):
        read_image(path, max_pixels=5399)


def test_the_error_survives_pickling():
    error = pickle.loads(pickle.dumps(ImageError("a.jpg", "truncated")))
    assert (error.path, error.reason) == ("a.jpg", "truncated")
