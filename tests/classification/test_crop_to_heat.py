import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.classification import crop_to_heat, grad_cam

SIDE = 16


@pytest.fixture(scope="module")
def model():
    """Class 1 where there is red, class 0 where there is blue."""
    pixels = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(2, 1, name="colours")(pixels)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(pixels, layers.Dense(2, activation="softmax")(x))
    red_and_blue = np.zeros((1, 1, 3, 2))
    red_and_blue[0, 0, 0, 1] = red_and_blue[0, 0, 2, 0] = 0.1
    model.set_weights([red_and_blue, np.zeros(2), np.eye(2), np.zeros(2)])
    return model


def photo(size, box, colour=0):
    top, left, bottom, right = box
    image = np.zeros((*size, 3), np.uint8)
    image[top:bottom, left:right, colour] = 255
    return image


@pytest.mark.parametrize(
    ("size", "red", "box"),
    [
        ((16, 16), (2, 8, 6, 12), (2, 8, 6, 12)),
        ((16, 16), (2, 8, 4, 12), (1, 8, 5, 12)),  # grows to a square
        ((16, 16), (0, 4, 2, 12), (0, 4, 8, 12)),  # ... inside the photo
        ((64, 64), (8, 32, 24, 48), (8, 32, 24, 48)),  # with all its detail
        ((16, 32), (0, 0, 16, 32), (0, 0, 16, 32)),  # all of it is hot
        ((16, 32), (4, 8, 8, 16), (2, 8, 10, 16)),
    ],
)
def test_the_box_of_what_is_red(model, size, red, box):
    image = photo(size, red)
    found = crop_to_heat(model, image, class_index=1)
    assert found.box == box
    assert found.image.shape == (SIDE, SIDE, 3)
    top, left, bottom, right = box
    share = image[top:bottom, left:right, 0].mean() / 255
    assert found.image[..., 0].mean() / 255 == pytest.approx(share, abs=0.02)
    whole = 25.5 * image[..., 0].mean() / 255
    assert found.before[1] == pytest.approx(1 / (1 + np.exp(-whole)), rel=1e-3)
    again = model.predict(found.image[None], verbose=0)[0]
    np.testing.assert_allclose(found.after, again, rtol=1e-5)
    assert found.after[1] >= found.before[1]


def test_the_heat_and_the_picture(model, tmp_path):
    image = photo((16, 16), (2, 8, 6, 12))
    found = crop_to_heat(model, image, path=tmp_path / "crop.png")
    np.testing.assert_array_equal(found.heat, grad_cam(model, image, class_index=1))
    with Image.open(tmp_path / "crop.png") as picture:
        assert picture.width >= 2 * SIDE


def test_errors(model):
    image = photo((16, 16), (2, 8, 6, 12))
    with pytest.raises(ValueError, match="`threshold` must be above 0.*threshold=0"):
        crop_to_heat(model, image, threshold=0)
    with pytest.raises(ValueError, match=r"`image` must be one picture .*\(16, 16\)"):
        crop_to_heat(model, image[..., 0])
    with pytest.raises(ValueError, match="class_index=0, for which the heat is 0"):
        crop_to_heat(model, image, class_index=0)
