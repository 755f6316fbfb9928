"""The limit is of pixels that are decoded, and `max_pixels=` goes everywhere."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from kerasdl import ImageData, Predictor, export, predict, train
from kerasdl.classification import ClassificationReport
from kerasdl.data import (
    ImageDataGenerator,
    ImageError,
    check_images,
    image_folder,
    read_image,
    resize_photos,
)

LARGE, SIDE = (160, 240), 16  # read at an eighth: 20 x 30 pixels
LIMIT = 20 * 30


@pytest.fixture
def photos(tmp_path):
    """Two splits of two classes, a large JPEG in each; the PNG in train/a is larger."""
    rng = np.random.default_rng(0)
    for split in ("train", "valid"):
        for name in ("a", "b"):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            pixels = rng.integers(0, 256, (*LARGE, 3), "uint8")
            Image.fromarray(pixels).save(folder / "photo.jpg")
            Image.fromarray(pixels[:20, :20]).save(folder / "small.jpg")
    Image.fromarray(pixels).save(tmp_path / "train" / "a" / "photo.png")
    return tmp_path


def test_a_large_phone_photo_is_read_at_an_eighth(tmp_path):
    path = tmp_path / "phone.jpg"
    Image.new("L", (12_000, 9_000), 90).save(path, quality=30)
    assert read_image(path, (224, 224)).shape == (1125, 1500, 3)
    with pytest.raises(
        ImageError, match=r"\(12000 x 9000\); max_pixels= \(--max-pixels"
    ):
        read_image(path)
    assert check_images(tmp_path, verbose=0).sizes.to_numpy().tolist() == [
        [9000, 12000]
    ]


@pytest.mark.filterwarnings("ignore:left out")
def test_the_error_names_the_argument(photos):
    def left_out(limit):
        dataset, _ = image_folder(photos / "train", SIDE, max_pixels=limit)
        sum(len(images) for images, _ in dataset)

    said = r"photo\.png: above the pixel limit \(240 x 160\); max_pixels="
    with pytest.warns(UserWarning, match=said):
        left_out(LIMIT)
    with pytest.warns(UserWarning, match=r"photo\.jpg: above .* \(240 x 160\); max_"):
        left_out(LIMIT - 1)


def image_data(photos, limit):
    data = ImageData.from_folder(
        photos, image_size=SIDE, on_error="raise", max_pixels=limit, seed=0
    )
    for copy in (data, data.with_image_size(SIDE), next(data.folds(2))):
        assert copy.max_pixels == limit
        for split in ("train", "valid"):
            assert sum(len(x) for x, _ in getattr(copy, split))


def predictor(photos, limit):
    found = Predictor(model(), ["a", "b"], (SIDE, SIDE), "squash").predict(
        photos / "train", max_pixels=limit
    )
    assert len(found.files) == 5


def flow_from_directory(photos, limit):
    flow = ImageDataGenerator().flow_from_directory(
        photos / "train", (SIDE, SIDE), interpolation="bilinear", max_pixels=limit
    )
    if len(next(flow)[0]) < 5:
        (reason,) = flow.damaged.values()
        raise ImageError("photo.png", reason)


def activations(photos, limit):
    paths = sorted((photos / "train").rglob("photo.*"))
    train.cached_activations(
        model(), paths, cache_dir=photos / "cache", verbose=0, max_pixels=limit
    )


def predictions(photos, limit):
    data = ImageData.from_folder(
        photos,
        train="valid",
        valid="train",
        image_size=SIDE,
        on_error="raise",
        max_pixels=limit,
        seed=0,
    )
    predict.predict_split(model(), data, verbose=0)
    report = ClassificationReport.from_model(model(), data, verbose=0)
    for row in range(5):
        report.image(row)


def calibration(photos, limit):
    data = ImageData.from_folder(
        photos, image_size=SIDE, on_error="raise", max_pixels=limit, seed=0
    )
    assert len(export.calibration_photos(data, count=5, seed=0)) == 5


def copies(photos, limit):
    paths = sorted((photos / "train").rglob("photo.*"))
    cache = photos / "copies" / str(limit)
    made = resize_photos(
        *(paths, SIDE), cache_dir=cache, on_error="raise", max_pixels=limit, verbose=0
    )
    for copy in made:
        with Image.open(copy) as image:
            assert image.size == (24, 16)


def doctor(photos, limit):
    damaged = check_images(photos, limit, verbose=0).damaged
    for name, reason in damaged.items():
        raise ImageError(name, reason)


def model():
    layers = [keras.Input((SIDE, SIDE, 3)), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])


DOORS = (
    *(image_data, predictor, flow_from_directory, activations, predictions),
    *(calibration, copies, doctor),
)


@pytest.mark.filterwarnings("ignore:left out")
@pytest.mark.parametrize("door", DOORS)
def test_every_door_has_the_limit(photos, door):
    door(photos, LARGE[0] * LARGE[1])
    with pytest.raises(Exception, match=r"photo\.png: above the pixel limit"):
        door(photos, LARGE[0] * LARGE[1] - 1)
    (photos / "train" / "a" / "photo.png").unlink()
    stream = io.BytesIO()
    Image.new("RGB", (LARGE[1], LARGE[0])).save(stream, "JPEG")
    (photos / "train" / "a" / "photo.png").write_bytes(stream.getvalue())
    door(photos, LIMIT)


@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_a_limit_of_nothing(photos, door):
    with pytest.raises(ValueError, match="`max_pixels` must be an integer"):
        door(photos, 0)
