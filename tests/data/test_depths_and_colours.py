"""What becomes of each depth and colour, in every door that takes image files."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from tensorflow.keras.preprocessing.image import ImageDataGenerator as Legacy

from kerasdl.data import ImageDataGenerator, decode_image, image_folder, read_image
from kerasdl.data._decode import ImageError
from kerasdl.serving.images import from_file

HEIGHT, WIDTH = SIZE = (20, 32)
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, SIZE, "uint8")
DEEP = RNG.integers(0, 2**16, SIZE, "uint16")
RGB = Image.fromarray(RNG.integers(0, 256, (*SIZE, 3), "uint8"))
RGBA = Image.fromarray(RNG.integers(0, 256, (*SIZE, 4), "uint8"))


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(name, body):
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


def png(depth, colour, rows):
    """A PNG of packed `rows`; `colour` is 0 for grey, 2 for RGB, 4 for LA."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, 0)
    body = b"".join(b"\0" + bytes(row) for row in rows)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(body))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def tiff(pixels, depth, white_is_zero=False, kind=1):
    """A TIFF of grey pixels; `kind` is 1 for whole numbers, 3 for floats."""
    entries = {256: WIDTH, 257: HEIGHT, 258: depth, 259: 1}
    entries |= {262: 0 if white_is_zero else 1, 273: 8, 277: 1, 278: HEIGHT}
    entries |= {279: len(pixels), 339: kind}
    tags = (struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    begin = struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels
    return begin + struct.pack("<H", len(entries)) + b"".join(tags) + bytes(4)


def ycck():
    """A JPEG that says its four channels are YCC and K."""
    data = saved(RGB.convert("CMYK"), "JPEG", quality=95)
    place = data.index(b"Adobe") + 11
    return data[:place] + b"\2" + data[place + 1 :]


# Files whose pixels Pillow's `convert`, and so Keras's `load_img`, gets right.
SHALLOW = {
    "1-bit png": saved(Image.fromarray(GREY).convert("1"), "PNG"),
    "2-bit png": png(2, 0, GREY[:, : WIDTH // 4]),
    "4-bit png": png(4, 0, GREY[:, : WIDTH // 2]),
    "grey png": saved(Image.fromarray(GREY), "PNG"),
    "la png": saved(RGBA.convert("LA"), "PNG"),
    "16-bit la png": png(16, 4, RNG.integers(0, 256, (HEIGHT, 4 * WIDTH), "uint8")),
    "16-bit rgb png": png(16, 2, RNG.integers(0, 256, (HEIGHT, 6 * WIDTH), "uint8")),
    "palette png": saved(RGB.quantize(7), "PNG"),
    "transparent palette png": saved(RGBA.quantize(60), "PNG"),
    "transparent colour png": saved(RGB.quantize(9), "PNG", transparency=3),
    "rgba png": saved(RGBA, "PNG"),
    "1-bit tiff": saved(Image.fromarray(GREY).convert("1"), "TIFF"),
    "fax tiff": saved(Image.fromarray(GREY).convert("1"), "TIFF", compression="group4"),
    "2-bit tiff": tiff(GREY[:, : WIDTH // 4].tobytes(), 2),
    "4-bit tiff": tiff(GREY[:, : WIDTH // 2].tobytes(), 4),
    "grey tiff": saved(Image.fromarray(GREY), "TIFF"),
    "negative tiff": tiff(GREY.tobytes(), 8, white_is_zero=True),
    "la tiff": saved(RGBA.convert("LA"), "TIFF"),
    "rgba tiff": saved(RGBA, "TIFF", compression="tiff_lzw"),
    "palette tiff": saved(RGB.quantize(7), "TIFF", compression="packbits"),
    "cmyk tiff": saved(RGB.convert("CMYK"), "TIFF", compression="tiff_adobe_deflate"),
    "ycbcr tiff": saved(RGB.convert("YCbCr"), "TIFF"),
    "jpeg tiff": saved(RGB, "TIFF", compression="jpeg"),
    "big tiff": saved(RGB, "TIFF", big_tiff=True),
    "pages tiff": saved(RGB, "TIFF", save_all=True, append_images=[RGBA]),
    "float tiff": saved(Image.fromarray(GREY.astype("float32") / 2), "TIFF"),
    "32-bit tiff": saved(Image.fromarray(GREY.astype("int32")), "TIFF"),
    "grey jpeg": saved(Image.fromarray(GREY), "JPEG"),
    "jpeg": saved(RGB, "JPEG"),
    "progressive jpeg": saved(RGB, "JPEG", progressive=True),
    "restarts jpeg": saved(RGB, "JPEG", restart_marker_blocks=1),
    "cmyk jpeg": saved(RGB.convert("CMYK"), "JPEG"),
    "ycck jpeg": ycck(),
    "1-bit bmp": saved(Image.fromarray(GREY).convert("1"), "BMP"),
    "palette bmp": saved(RGB.quantize(7), "BMP"),
    "rgba bmp": saved(RGBA, "BMP"),
}
# 16 bits of grey, and the 8 that they become.
UPPER = DEEP // 256
PAIRS = GREY.reshape(-1, 2).T.astype("uint16")  # 12 bits: three bytes for two pixels
PACKED = np.stack([PAIRS[0], PAIRS[1] >> 4, PAIRS[1] << 4 & 255], axis=-1)
DEEP_FILES = {
    "12-bit tiff": (tiff(PACKED.astype("uint8").tobytes(), 12), GREY),
    "16-bit png": (saved(Image.fromarray(DEEP), "PNG"), UPPER),
    "16-bit tiff": (saved(Image.fromarray(DEEP), "TIFF"), UPPER),
    "16-bit lzw tiff": (
        saved(Image.fromarray(DEEP), "TIFF", compression="tiff_lzw"),
        UPPER,
    ),
    "16-bit negative tiff": (tiff(DEEP.tobytes(), 16, white_is_zero=True), 255 - UPPER),
    "stretched tiff": (
        saved(Image.fromarray(GREY.astype("uint16") * 257), "TIFF"),
        GREY,
    ),
}
MODES = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}
pytestmark = pytest.mark.filterwarnings("ignore:Palette images with Transparency")


def as_pillow_has_it(data, mode):
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert(MODES[mode]))
    return pixels.reshape(*SIZE, -1)


def expected(name, mode):
    if name in SHALLOW:
        return as_pillow_has_it(SHALLOW[name], mode)
    grey = DEEP_FILES[name][1]
    channels = np.stack([grey] * 3 + [np.full_like(grey, 255)], axis=-1)
    return channels[
        ..., {"rgb": [0, 1, 2], "grayscale": [0], "rgba": [0, 1, 2, 3]}[mode]
    ]


FILES = SHALLOW | {name: data for name, (data, _) in DEEP_FILES.items()}


@pytest.fixture
def photos(tmp_path):
    """`photos(data)`: a folder of two classes, that file in each."""

    def write(data):
        kind = Image.open(io.BytesIO(data)).format.lower()
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / f"photo.{kind}").write_bytes(data)
        return tmp_path

    return write


def flow(generator, folder, mode):
    return generator().flow_from_directory(
        folder, SIZE, mode, class_mode=None, batch_size=1, shuffle=False
    )


@pytest.mark.parametrize("name", FILES)
def test_image_folder(photos, name):
    dataset, _ = image_folder(
        photos(FILES[name]), SIZE, resize="squash", shuffle=False, on_error="raise"
    )
    images, _ = next(iter(dataset))
    np.testing.assert_array_equal(images[0], expected(name, "rgb"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FILES)
def test_image_data_generator(photos, name, mode):
    folder = photos(FILES[name])
    found = next(flow(ImageDataGenerator, folder, mode))[0]
    np.testing.assert_array_equal(found, expected(name, mode))
    if name in SHALLOW:
        legacy = next(flow(Legacy, folder, mode))[0]
        np.testing.assert_array_equal(found, legacy)


@pytest.mark.parametrize("name", FILES)
def test_serving(name):
    found, pixels = from_file(FILES[name], SIZE, "squash", HEIGHT * WIDTH)
    np.testing.assert_array_equal(found, expected(name, "rgb"))
    assert pixels == HEIGHT * WIDTH


def test_legacy_pixels_of_16_bits_are_no_pixels(photos):
    """Why ours differ: white, or values up to 65,535."""
    folder = photos(DEEP_FILES["16-bit png"][0])
    assert next(flow(Legacy, folder, "grayscale")).max() > 60_000
    assert (next(flow(Legacy, folder, "rgb")) == 255).mean() > 0.9


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (np.linspace(0, 1, GREY.size), "numbers from 0 to 1,"),
        (np.linspace(0, 65535, GREY.size), "numbers from 0 to 65535,"),
        (np.linspace(-3, 200, GREY.size), "numbers from -3 to 200,"),
        (np.full(GREY.size, np.nan), "numbers from nan to nan,"),
    ],
)
def test_floats_that_are_no_pixels_are_refused(tmp_path, numbers, said):
    image = Image.fromarray(numbers.reshape(SIZE).astype("float32"))
    image.save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=rf"a\.tif: {said} which must be .*\[0, 255\]"):
        read_image(tmp_path / "a.tif")


def test_what_is_not_read_is_named(tmp_path):
    data = saved(RGB, "TIFF").replace(
        struct.pack("<HHIHH", 259, 3, 1, 1, 0),
        struct.pack("<HHIHH", 259, 3, 1, 34925, 0),
    )
    with pytest.raises(
        ImageError, match="a.tif: compression 34925 of TIFF is not read"
    ):
        decode_image(data, "a.tif")
