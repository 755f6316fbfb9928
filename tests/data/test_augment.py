from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance
from tensorflow.keras.preprocessing.image import ImageDataGenerator

import kerasdl
from kerasdl.data._warp import warp_image
from kerasdl.data.augment import (
    NUM_DRAWS,
    PRESETS,
    Augment,
    apply_colour,
    chapter,
    side_on,
    top_down,
)

ROTATION, SHEAR, SHIFT_X, SHIFT_Y, ZOOM_X, ZOOM_Y, FLIP_X, FLIP_Y = range(8)
TRANSPOSE, BRIGHTNESS, CONTRAST, SATURATION = range(8, 12)


def colours(draws, **ranges):
    """The one colour matrix of `draws`, middling where they say nothing."""
    row = np.full((1, NUM_DRAWS), 0.5)
    for column, value in draws.items():
        row[0, column] = value
    return Augment(**ranges).colours(row)[0]


def recoloured(picture, matrix):
    """Slow: every pixel by itself."""
    result = np.empty(picture.shape)
    for place in np.ndindex(picture.shape[:2]):
        result[place] = matrix @ [*picture[place], 1]
    return np.clip(result, 0, 255)


@pytest.fixture
def picture(rng):
    return rng.integers(0, 256, (12, 15, 3), dtype=np.uint8)


def test_the_module_is_reached_under_its_name():
    assert kerasdl.data.augment.side_on is side_on


def test_nothing_is_the_identity(rng):
    draws = rng.random((7, NUM_DRAWS))
    matrices = Augment().transforms(draws, (17, 24))
    np.testing.assert_array_equal(matrices, np.broadcast_to(np.eye(3), (7, 3, 3)))
    assert Augment().colours(draws) is None


def test_chapter_is_what_the_legacy_class_makes_of_the_same_numbers(rng):
    y, x = np.mgrid[:64, :64] / 64
    waves = [np.sin(5 * x + 2 * y), np.cos(4 * y - x), np.sin(3 * x * y)]
    photo = (127.5 + 120 * np.stack(waves, -1)).astype("float32")
    draws = rng.random((12, NUM_DRAWS))
    matrices = chapter().transforms(draws, (64, 64))
    legacy = ImageDataGenerator(fill_mode="nearest")
    for row, matrix in zip(draws, matrices, strict=True):
        between = 2 * row - 1
        expected = legacy.apply_transform(
            photo,
            {
                "theta": 40 * between[ROTATION],
                "shear": 0.2 * between[SHEAR],
                "tx": 0.2 * 64 * between[SHIFT_X],  # its x runs along the width
                "ty": 0.2 * 64 * between[SHIFT_Y],
                "zx": 0.8 + 0.4 * row[ZOOM_X],
                "zy": 0.8 + 0.4 * row[ZOOM_Y],
                "flip_horizontal": row[FLIP_X] < 0.5,
            },
        )
        result = warp_image(photo, (64, 64), "crop", matrix, "nearest")
        np.testing.assert_allclose(result, expected, atol=0.05)


def test_a_large_shear_too(rng):
    photo = rng.uniform(0, 255, (20, 20, 1)).astype("float32")
    draws = rng.random((1, NUM_DRAWS))
    (matrix,) = Augment(shear_range=60).transforms(draws, (20, 20))
    legacy = ImageDataGenerator(fill_mode="reflect")
    shear = 60 * (2 * draws[0, SHEAR] - 1)
    expected = legacy.apply_transform(photo, {"shear": shear})
    result = warp_image(photo, (20, 20), "crop", matrix, "reflect")
    np.testing.assert_allclose(result, expected, atol=0.05)


def test_the_eight_symmetries_of_the_square_are_exact(picture):
    square = picture[:, :12]
    draws = np.full((8, NUM_DRAWS), 0.5)
    draws[:, [FLIP_X, FLIP_Y, TRANSPOSE]] = list(product([0.2, 0.8], repeat=3))
    symmetries = Augment(horizontal_flip=True, vertical_flip=True, transpose=True)
    views = [
        warp_image(square, (12, 12), "crop", matrix, "reflect").tobytes()
        for matrix in symmetries.transforms(draws, (12, 12))
    ]
    expected = [
        np.rot90(side, turns).tobytes()
        for side in (square, square[:, ::-1])
        for turns in range(4)
    ]
    assert len(set(views)) == 8
    assert set(views) == set(expected)


def test_top_down_shows_all_eight_about_equally_often(rng):
    turned = top_down().transforms(rng.random((8000, NUM_DRAWS)), (32, 32))
    # Without its small rotation and zoom each matrix is one of the eight.
    signs = np.round(turned[:, :2, :2]).astype(int).reshape(-1, 4)
    _, counts = np.unique(signs, axis=0, return_counts=True)
    assert len(counts) == 8
    assert (np.abs(counts - 1000) < 150).all()


def test_side_on_mirrors_turns_and_zooms_in_within_its_range(rng):
    matrices = side_on(max_zoom=1.25).transforms(
        rng.random((4000, NUM_DRAWS)), (40, 60)
    )
    linear = matrices[:, :2, :2]
    mirrored = np.linalg.det(linear) < 0
    assert 0.45 < mirrored.mean() < 0.55
    zoom = np.sqrt(np.abs(np.linalg.det(linear)))
    assert 0.8 <= zoom.min() < 0.81
    assert 0.99 < zoom.max() <= 1
    angle = np.degrees(np.arctan2(linear[:, 0, 1], linear[:, 1, 1]))
    assert 9.9 < np.abs(angle).max() <= 10
    np.testing.assert_allclose(angle.mean(), 0, atol=0.5)
    centre = [29.5, 19.5, 1]
    np.testing.assert_allclose(matrices @ centre, np.tile(centre, (4000, 1)))


def test_shifts_are_fractions_of_width_and_height():
    draws = np.full((1, NUM_DRAWS), 0.5)
    draws[0, [SHIFT_X, SHIFT_Y]] = 1.0, 0.0
    shifts = Augment(width_shift_range=0.1, height_shift_range=0.5)
    (matrix,) = shifts.transforms(draws, (40, 60))
    np.testing.assert_allclose(matrix, [[1, 0, 6], [0, 1, -20], [0, 0, 1]])


def test_a_transform_that_is_switched_on_leaves_the_others_their_draws(rng):
    draws = rng.random((9, NUM_DRAWS))
    alone = Augment(horizontal_flip=True, contrast=0.3)
    more = Augment(horizontal_flip=True, contrast=0.3, rotation_range=3, saturation=0)
    mirrored = alone.transforms(draws, (20, 20))[:, 0, 0] < 0
    assert (mirrored == (more.transforms(draws, (20, 20))[:, 0, 0] < 0)).all()
    np.testing.assert_array_equal(alone.colours(draws), more.colours(draws))


def test_a_position_has_its_transform_whatever_is_drawn_beside_it(rng):
    draws = rng.random((9, NUM_DRAWS))
    whole = top_down()
    np.testing.assert_array_equal(
        whole.transforms(draws[3:5], (20, 20)), whole.transforms(draws, (20, 20))[3:5]
    )
    np.testing.assert_array_equal(whole.colours(draws[3:5]), whole.colours(draws)[3:5])


def test_brightness_agrees_with_tensorflow(picture):
    matrix = colours({BRIGHTNESS: 1.0}, brightness=0.2)
    expected = tf.image.adjust_brightness(picture.astype("float32"), 0.2 * 255)
    result = apply_colour(picture.copy(), matrix)
    np.testing.assert_allclose(result, np.clip(expected, 0, 255), atol=1)


def test_contrast_agrees_with_tensorflow_where_grey_is_the_mean(picture):
    balanced = np.concatenate([picture, 255 - picture])  # whose mean is 127.5
    matrix = colours({CONTRAST: 0.0}, contrast=0.4)
    expected = tf.image.adjust_contrast(balanced.astype("float32"), 0.6)
    np.testing.assert_allclose(apply_colour(balanced.copy(), matrix), expected, atol=1)


@pytest.mark.parametrize(("draw", "factor"), [(0.0, 0.5), (1.0, 1.5)])
def test_saturation_agrees_with_pillow(picture, draw, factor):
    matrix = colours({SATURATION: draw}, saturation=0.5)
    expected = ImageEnhance.Color(Image.fromarray(picture)).enhance(factor)
    result = apply_colour(picture.copy(), matrix).astype(int)
    # Pillow rounds the grey first and cuts the result down to whole numbers.
    np.testing.assert_allclose(result, np.asarray(expected), atol=1.5)


def test_colours_together_are_one_after_the_other(picture, rng):
    draws = rng.random(NUM_DRAWS)
    ranges = {"brightness": 0.2, "contrast": 0.3, "saturation": 0.4}
    matrix = Augment(**ranges).colours(draws[None])[0]
    signed = 2 * draws - 1
    grey = picture @ [0.299, 0.587, 0.114]
    saturation, contrast = 1 + 0.4 * signed[SATURATION], 1 + 0.3 * signed[CONTRAST]
    expected = grey[..., None] + saturation * (picture - grey[..., None])
    expected = 127.5 + contrast * (expected - 127.5)
    expected = np.clip(expected + 255 * 0.2 * signed[BRIGHTNESS], 0, 255)
    result = picture.copy()
    assert apply_colour(result, matrix) is result
    np.testing.assert_allclose(result, expected, atol=1)  # OpenCV's rounding
    np.testing.assert_allclose(result, recoloured(picture, matrix), atol=1)


def test_presets():
    assert list(PRESETS) == ["none", "side_on", "top_down", "chapter"]
    assert PRESETS["none"] is None
    assert PRESETS["side_on"] == side_on(max_zoom=1.1)
    less = kerasdl.data.top_down(max_zoom=1.05)
    assert less == replace(PRESETS["top_down"], zoom_range=(1 / 1.05, 1.0))
    # The numbers of the book's chapter.
    assert PRESETS["chapter"] == Augment(
        rotation_range=40,
        width_shift_range=0.2,
        height_shift_range=0.2,
        shear_range=0.2,
        zoom_range=(0.8, 1.2),
        same_zoom=False,
        horizontal_flip=True,
        fill_mode="nearest",
    )


@pytest.mark.parametrize("max_zoom", [0.9, 0, float("nan"), float("inf")])
@pytest.mark.parametrize("preset", [side_on, top_down])
def test_max_zoom_below_one(preset, max_zoom):
    with pytest.raises(ValueError, match="`max_zoom` must be at least 1"):
        preset(max_zoom=max_zoom)


@pytest.mark.parametrize("zoom_range", [(0, 1), (1.2, 0.8), 0.2, (1,), (1, 1, 1), None])
def test_no_zoom_range(zoom_range):
    with pytest.raises(
        ValueError, match=r"`zoom_range` must be \(low, high\) with 0 <"
    ):
        Augment(zoom_range=zoom_range)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rotation_range", -1),
        ("rotation_range", 181),
        ("shear_range", 90),
        ("width_shift_range", 1.5),
        ("height_shift_range", -0.1),
        ("brightness", 2),
        ("contrast", 1.1),
        ("saturation", float("nan")),
    ],
)
def test_a_range_that_makes_no_sense(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be from 0 to .* {name}="):
        Augment(**{name: value})


def test_no_fill_mode():
    with pytest.raises(ValueError, match="`fill_mode` must be one of 'constant'"):
        Augment(fill_mode="mirror")


def test_transposing_needs_a_square():
    with pytest.raises(ValueError, match=r"`image_size` must be square .*\(20, 30\)"):
        top_down().transforms(np.zeros((1, NUM_DRAWS)), (20, 30))
