import io
import sys
import types

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from kerasdl.data import ImageError, _decode, _listing, check_images, decode_image

BRAND = b"\0\0\0\x18ftypheic"  # a file of this format begins so


def heic(pixels):
    """A stand-in for a file: the format's first bytes, then a PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return BRAND + file.getvalue()


@pytest.fixture
def pillow_heif(monkeypatch):
    """pillow-heif as it is installed: a plugin of Pillow, here for such stand-ins."""

    class HeifImageFile(PngImageFile):
        def _open(self):
            self.fp = io.BytesIO(self.fp.read()[len(BRAND) :])
            super()._open()

    module = types.ModuleType("pillow_heif")
    module.HeifImageFile = HeifImageFile
    module.__spec__ = types.SimpleNamespace(name="pillow_heif")
    monkeypatch.setitem(sys.modules, "pillow_heif", module)
    suffixes = {**_decode.SUFFIX_FORMATS, ".heic": "HEIF"}
    monkeypatch.setattr("kerasdl.data.inspect.SUFFIX_FORMATS", suffixes)
    monkeypatch.setattr(_listing, "IMAGE_SUFFIXES", tuple(suffixes))


@pytest.fixture
def without(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)


def test_heic_is_decoded_where_its_reader_is_installed(pillow_heif, rng, tmp_path):
    pixels = rng.integers(0, 256, (6, 9, 3), "uint8")
    np.testing.assert_array_equal(decode_image(heic(pixels), "a.heic"), pixels)
    (tmp_path / "a.heic").write_bytes(heic(pixels))
    check = check_images(tmp_path, verbose=0)
    assert check.sizes.loc["a.heic"].tolist() == [6, 9]
    assert "HEIC" not in str(check)
    with pytest.raises(ImageError, match="damaged"):
        decode_image(BRAND + b"none", "a.heic")


def test_else_one_line_says_what_is_left_out_and_how_it_is_read(
    without, rng, write_photos, tmp_path
):
    write_photos(tmp_path, {"": 2}, "ab")
    for name in ("a/1.heic", "b/2.HEIC", "a/3.heif"):
        (tmp_path / name).write_bytes(BRAND)
    lines = str(check_images(tmp_path, verbose=0)).splitlines()
    said = "3 HEIC photos left out: pip install 'kerasdl[heic]' reads them"
    assert [line for line in lines if ".hei" in line.lower() or "HEIC" in line] == [
        said
    ]
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone/1.heic").write_bytes(BRAND)
    with pytest.raises(ValueError, match=r"0 images, 1 HEIC photos: pip install 'k"):
        check_images(tmp_path / "phone", verbose=0)
    with pytest.raises(ImageError, match=r"pip install 'kerasdl\[heic\]' reads it"):
        decode_image(heic(np.zeros((2, 2, 3), "uint8")), "a.heic")
