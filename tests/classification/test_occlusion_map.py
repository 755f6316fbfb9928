import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.classification import occlusion_map

SIZE = (12, 10)


def place_model(outputs=1, activation="sigmoid"):
    """Every pixel with a weight of its own."""
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 3)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(outputs, activation=activation),
        ]
    )
    rng = np.random.default_rng(1)
    model.layers[-1].kernel.assign(rng.normal(0, 0.2, model.layers[-1].kernel.shape))
    return model


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (*SIZE, 3), dtype="uint8")


def by_hand(model, image, class_index, patch, tops, lefts):
    """The definition, one square at a time."""

    def probability(pixels):
        return float(model(pixels[None].astype("float32"))[0, class_index])

    drops = [[[] for _ in range(SIZE[1])] for _ in range(SIZE[0])]
    for top in tops:
        for left in lefts:
            hidden = image.astype("float32")
            hidden[top : top + patch, left : left + patch] = 127.5
            drop = probability(image) - probability(hidden)
            for y in range(top, top + patch):
                for x in range(left, left + patch):
                    drops[y][x].append(drop)
    return np.array([[np.mean(found) for found in row] for row in drops])


@pytest.mark.parametrize(
    ("patch", "stride", "tops", "lefts"),
    [
        (4, 4, (0, 4, 8), (0, 4, 6)),
        (4, 3, (0, 3, 6, 8), (0, 3, 6)),
        (10, 10, (0, 2), (0,)),
        (1, 1, range(12), range(10)),
    ],
)
def test_equals_the_definition(image, patch, stride, tops, lefts):
    model = place_model(3, "softmax")
    expected = by_hand(model, image, 1, patch, tops, lefts)
    drops = occlusion_map(model, image, 1, patch, stride, verbose=0)
    assert drops.shape == SIZE
    np.testing.assert_allclose(drops, expected, atol=1e-5)


def test_the_defaults_are_a_fifth_and_a_quarter_of_that(image):
    model = place_model(3, "softmax")
    best = int(model(image[None].astype("float32"))[0].numpy().argmax())
    drops = occlusion_map(model, image, verbose=0)
    expected = by_hand(model, image, best, 2, range(11), range(9))
    np.testing.assert_allclose(drops, expected, atol=1e-5)


def test_what_one_class_loses_the_other_wins(image):
    drops = [occlusion_map(place_model(), image, i, 3, verbose=0) for i in (0, 1)]
    np.testing.assert_allclose(drops[0], -drops[1], atol=1e-6)
    assert drops[0].max() > 1e-3


def test_peaks_in_the_only_quadrant_that_counts(image):
    model = place_model()
    kernel = np.zeros((*SIZE, 3))
    kernel[6:, :5] = 0.1
    model.layers[-1].kernel.assign(kernel.reshape(-1, 1))
    drops = occlusion_map(model, np.full_like(image, 255), 1, 2, 1, verbose=0)
    assert drops[6:, :5].min() > 0
    y, x = np.unravel_index(drops.argmax(), SIZE)
    assert y >= 6 and x < 5
    drops[5:, :6] = 0  # squares of two pixels reach one further
    assert np.abs(drops).max() < 1e-6


def test_saves_a_picture_and_shows_progress(image, tmp_path, capfd):
    path = tmp_path / "map.png"
    capfd.readouterr()
    drops = occlusion_map(place_model(), image, 1, 5, 5, path)
    assert "occlusions: 6 of 6" in capfd.readouterr().err
    saved = np.asarray(Image.open(path).convert("RGB"))
    assert saved.shape[:2] == (12 * 22, 2 * 10 * 22 + 4)
    np.testing.assert_array_equal(saved[::22, : 10 * 22 : 22], image)
    # The largest drop is under the last colour of the map, a dark red.
    y, x = np.unravel_index(drops.argmax(), SIZE)
    hottest = 2.0 * saved[22 * y, 10 * 22 + 4 + 22 * x] - image[y, x]
    np.testing.assert_allclose(hottest, (122, 4, 3), atol=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patch": 0}, "`patch` must be an integer of at least 1"),
        ({"patch": 11}, "`patch` must be at most 10. Received: patch=11"),
        ({"stride": 2.5}, "`stride` must be an integer of at least 1"),
        ({"patch": 4, "stride": 5}, "`stride` must be at most 4. Received: stride=5"),
        ({"class_index": 2}, "`class_index` must be None or from 0 to 1"),
        ({"verbose": 2}, "`verbose` must be one of 0, 1"),
    ],
)
def test_bad_arguments_are_refused(image, arguments, message):
    with pytest.raises(ValueError, match=message):
        occlusion_map(place_model(), image, **arguments)


def test_another_size_is_refused(image):
    with pytest.raises(ValueError, match="`image` must be one picture of the model's"):
        occlusion_map(place_model(), image[:8], verbose=0)
