import io
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasdl.export import save_saved_model


@pytest.fixture(scope="module")
def served(tmp_path_factory, colours):
    path = tmp_path_factory.mktemp("served") / "saved_model"
    save_saved_model(colours.model(), path, colours.NAMES, "squash")
    return path


@pytest.fixture(scope="module")
def pixels(colours):
    return np.random.default_rng(0).integers(
        0, 256, (5, colours.SIZE, colours.SIZE, 3), "uint8"
    )


def encoded(image, kind):
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, quality=95)
    return file.getvalue()


def test_serves_pixels_without_keras(served, pixels, tmp_path, colours, programs):
    path = tmp_path / "pixels.npy"
    np.save(path, pixels)
    subprocess.run(
        [sys.executable, programs / "serve_signature.py", served, path], check=True
    )
    expected = colours.model().predict_on_batch(pixels.astype("float32"))
    np.testing.assert_allclose(np.load(path), expected, atol=1e-5)


def test_signatures_and_class_names(served, colours):
    signatures = tf.saved_model.load(str(served)).signatures
    assert set(signatures) == {"serve", "serve_bytes", "serving_default"}
    (taken,) = signatures["serve"].structured_input_signature[1].values()
    assert (taken.dtype, taken.shape.as_list()) == (
        tf.uint8,
        [None, colours.SIZE, colours.SIZE, 3],
    )
    (taken,) = signatures["serve_bytes"].structured_input_signature[1].values()
    assert (taken.dtype, taken.shape.as_list()) == (tf.string, [None])
    assert (served / "assets" / "labels.txt").read_text().splitlines() == colours.NAMES
    assert sorted(file.name for file in served.parent.iterdir()) == ["saved_model"]


def test_serves_encoded_images(served, pixels, colours):
    """Of the model's own size nothing is resized: PNG is exact."""
    serve_bytes = tf.saved_model.load(str(served)).signatures["serve_bytes"]
    files = [encoded(image, "PNG") for image in pixels]
    expected = colours.model().predict_on_batch(pixels.astype("float32"))
    found = serve_bytes(images=tf.constant(files))["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    gray = Image.fromarray(pixels[0]).convert("L")
    three = np.repeat(np.array(gray)[..., None], 3, axis=-1)[None]
    expected = colours.model().predict_on_batch(three.astype("float32"))
    found = serve_bytes(images=[encoded(np.array(gray), "PNG")])["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_header_tells_a_bomb(served):
    """Of 81 million pixels nothing is decoded: what is behind may be missing."""
    serve_bytes = tf.saved_model.load(str(served)).signatures["serve_bytes"]
    for kind in ("PNG", "JPEG"):
        file = io.BytesIO()
        Image.new("L", (9000, 9000)).save(file, kind)
        with pytest.raises(tf.errors.InvalidArgumentError, match="at most 64,000,000"):
            serve_bytes(images=tf.constant([file.getvalue()[:2000]]))
    for content in (b"", b"GIF89a" + bytes(20), b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(tf.errors.InvalidArgumentError):
            serve_bytes(images=tf.constant([content]))


def test_a_fault_leaves_nothing(tmp_path, colours, monkeypatch):
    monkeypatch.setattr(tf.saved_model, "save", None)
    with pytest.raises(TypeError):
        save_saved_model(colours.model(), tmp_path / "served", colours.NAMES)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("resize", "rows", "columns"),
    [
        ("crop", slice(None), slice(None)),
        ("squash", slice(None), slice(4, 12)),
        ("pad", slice(4, 12), slice(4, 12)),
    ],
)
def test_images_are_resized_by_the_rule_of_the_training(
    resize, rows, columns, tmp_path, colours
):
    """A wide image, red in the middle and blue at the sides, by hand at 16x16."""
    wide = np.full((16, 32, 3), (0, 0, 255), "uint8")
    wide[:, 8:24] = (255, 0, 0)
    small = np.zeros((colours.SIZE, colours.SIZE, 3))
    small[rows] = (0, 0, 255)
    small[rows, columns] = (255, 0, 0)
    # The convolution leaves out the rim; its softmax is of blue, green and red.
    powers = np.exp(0.05 * small[1:-1, 1:-1].mean(axis=(0, 1)))[::-1]
    save_saved_model(colours.model(), tmp_path / "served", colours.NAMES, resize)
    signatures = tf.saved_model.load(str(tmp_path / "served")).signatures
    images = tf.constant([encoded(wide, "PNG")])
    found = signatures["serve_bytes"](images=images)["probabilities"][0]
    np.testing.assert_allclose(found, powers / powers.sum(), atol=0.02)


def test_nothing_is_overwritten(tmp_path, colours):
    path = tmp_path / "served"
    save_saved_model(colours.model(), path, colours.NAMES)
    with pytest.raises(ValueError, match="`out` must not exist"):
        save_saved_model(colours.model(), path, colours.NAMES)
    save_saved_model(colours.model(), path, colours.NAMES[::-1], overwrite=True)
    assert (path / "assets" / "labels.txt").read_text().splitlines() == colours.NAMES[
        ::-1
    ]
    (tmp_path / "mine").mkdir()
    with pytest.raises(ValueError, match="`overwrite` replaces"):
        save_saved_model(
            colours.model(), tmp_path / "mine", colours.NAMES, overwrite=True
        )


def test_a_model_that_does_not_suit_makes_nothing(tmp_path):
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.ReLU()])
    with pytest.raises(ValueError, match="`model` must have one input"):
        save_saved_model(model, tmp_path / "files", ["a", "b"])
    assert not list(tmp_path.iterdir())


def test_wrong_resize(tmp_path, colours):
    with pytest.raises(ValueError, match="`resize` must be one of 'crop'"):
        save_saved_model(colours.model(), tmp_path / "served", colours.NAMES, "stretch")
