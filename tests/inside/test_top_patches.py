import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.data import ImageData
from kerasdl.inside import top_patches

SIDE = 12


@pytest.fixture(scope="module")
def model():
    """Filter 1 of the second layer answers to red, two places apart from pixels."""
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Conv2D(2, 3, padding="same", name="first"),
            layers.MaxPooling2D(2),
            layers.Conv2D(2, 1, name="second"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    red = np.zeros((3, 3, 3, 2))
    red[:, :, 0, 1] = 1
    model.layers[0].set_weights([red, np.zeros(2)])
    model.layers[2].set_weights([np.eye(2)[None, None], np.zeros(2)])
    return model


@pytest.fixture(scope="module")
def data():
    """Twenty black photos, in each a square of nine pixels as red as its number."""
    images = np.zeros((20, SIDE, SIDE, 3), np.uint8)
    for number in range(20):
        images[number, 4:7, 6:9, 0] = 10 * number
    images[19] = 0
    images[19, :2, :2, 0] = 250  # a corner has fewer pixels
    return ImageData.from_arrays(images, np.arange(20) % 2, valid=range(4, 20), seed=1)


def test_the_nine_photos_that_excite_it_most(model, data, tmp_path):
    path = tmp_path / "patches.png"
    patches = top_patches(model, data, "second", 1, path=path)
    answers = {str(number): 9 * 10 * number for number in range(4, 19)} | {"19": 1000}
    expected = sorted(answers, key=answers.get, reverse=True)[:9]
    assert [patch.file for patch in patches] == expected
    assert [patch.activation for patch in patches] == [answers[n] for n in expected]
    # Two places by their pool, each of which takes three pixels: four in all.
    assert patches[0].box == (3, 5, 7, 9)
    np.testing.assert_array_equal(
        patches[0].image, data.pictures("valid")[14][3:7, 5:9]
    )
    with Image.open(path) as picture:
        assert picture.width == pytest.approx(picture.height, abs=4)


def test_a_patch_ends_with_its_photo(model, data):
    patches = top_patches(model, data, "first", 1, count=16)
    (corner,) = (patch for patch in patches if patch.file == "19")
    assert corner.box == (0, 0, 2, 2)
    assert top_patches(model, data, "first", 1, "train", 1)[0].file == "3"


def test_a_patch_of_a_network_without_padding():
    """18 pixels wide, 4 from place to place, and the first begins at the edge."""
    ones = {"kernel_initializer": "ones", "use_bias": False}
    net = keras.Sequential(
        [
            keras.Input((30, 30, 3)),
            layers.Conv2D(1, 3, **ones),
            layers.AveragePooling2D(2),
            layers.Conv2D(1, 3, **ones),
            layers.AveragePooling2D(2),
            layers.Conv2D(1, 3, **ones, name="third"),
        ]
    )
    images = np.zeros((4, 30, 30, 3), np.uint8)
    images[2:, :18, 4:22] = 200
    data = ImageData.from_arrays(images, [0, 1, 0, 1], valid=[1, 2], seed=1)
    (patch,) = top_patches(net, data, "third", 0, count=1)
    assert patch.box == (0, 4, 18, 22)
    assert (patch.image == 200).all()


def test_errors(model, data):
    with pytest.raises(ValueError, match="`filter_index` must be from 0 to 1. .*=2"):
        top_patches(model, data, "first", 2)
    with pytest.raises(ValueError, match="`count` must be"):
        top_patches(model, data, "first", 1, count=0)
    with pytest.raises(ValueError, match="`layer` must name one layer .*'third'"):
        top_patches(model, data, "third", 1)
