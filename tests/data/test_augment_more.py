"""Hue, grey, components of colour, crops, erased parts, and a function of one's own."""

import colorsys

import numpy as np
import pytest

from kerasdl.data import ImageData
from kerasdl.data._erase import erase_parts
from kerasdl.data.augment import LUMA, NUM_DRAWS, NUM_LATER_DRAWS, Augment, apply_colour
from kerasdl.data.image_folder import PhotoBatches

MIDDLE = np.full((1, NUM_DRAWS), 0.5)


def later(**columns):
    """One row of numbers, middling but for these columns."""
    row = np.full((1, NUM_LATER_DRAWS), 0.5)
    for column, value in columns.items():
        row[0, int(column[1:])] = value
    return row


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)


def batches(images, size=32, seed=7, **options):
    augment = Augment(**options)
    return PhotoBatches(
        list(images), None, size, len(images), "squash", augment=augment, seed=seed
    )


def test_existing_draws_stay(images):
    """What comes later takes numbers of its own."""
    (plain,) = batches(images, rotation_range=20, brightness=0.1).batch(0, 0)
    (more,) = batches(images, rotation_range=20, brightness=0.1, erase=1e-12).batch(
        0, 0
    )
    np.testing.assert_array_equal(plain, more)


def test_hue_turns_colours_and_leaves_greys_and_luma():
    matrix = Augment(hue=0.5).colours(MIDDLE, later(_0=0.75))[0]  # a quarter turn
    np.testing.assert_allclose(matrix @ [90, 90, 90, 1], 90, atol=1e-6)
    red = np.array([150.0, 60.0, 60.0])
    turned = matrix @ [*red, 1]
    assert LUMA @ turned == pytest.approx(LUMA @ red)
    hue = colorsys.rgb_to_hsv(*turned / 255)[0]
    # By a quarter of the circle either way, roughly: YIQ's circle is not HSV's.
    assert min(hue, 1 - hue) == pytest.approx(0.25, abs=0.1)
    still = Augment(hue=0.5).colours(MIDDLE, later())[0]
    np.testing.assert_allclose(still, np.eye(3, 4), atol=1e-9)


def test_grey_comes_with_its_probability(images):
    row = np.vstack([later(_1=0.19), later(_1=0.21)])
    grey, colour = Augment(grey=0.2).colours(np.repeat(MIDDLE, 2, 0), row)
    np.testing.assert_allclose(grey[:, :3], [LUMA] * 3, atol=1e-9)
    np.testing.assert_allclose(colour, np.eye(3, 4), atol=1e-9)
    (views,) = batches(images, grey=1).batch(0, 0)
    assert (views == views[..., :1]).all()


def test_components_add_what_alexnet_adds():
    values = [0.2175, 0.0188, 0.0045]
    vectors = np.array(
        [
            [-0.5675, 0.7192, 0.4009],
            [-0.5808, -0.0045, -0.8140],
            [-0.5836, -0.6948, 0.4203],
        ]
    )
    # The uniform number of one deviation above the mean.
    matrix = Augment(pca=0.1).colours(MIDDLE, later(_2=0.8413447460685429))[0]
    expected = 255 * vectors @ ([0.1, 0, 0] * np.array(values))
    np.testing.assert_allclose(matrix[:, 3], expected, atol=1e-6)
    np.testing.assert_allclose(matrix[:, :3], np.eye(3), atol=1e-9)


def test_a_colour_step_is_one_for_all(images):
    """What several do together is one matrix: it clips once."""
    matrix = Augment(contrast=0.5, grey=1).colours(MIDDLE, later())[0]
    pixels = apply_colour(images[0].copy(), matrix)
    np.testing.assert_allclose(pixels[..., 0], images[0] @ LUMA, atol=1)


def test_a_crop_shows_the_photo_s_own_pixels(images):
    crop = {"crop": 28 / 32, "whole_pixels": True}
    (views,) = batches(images, 28, **crop).batch(0, 0)
    corners = set()
    for image, view in zip(images, views, strict=True):
        found = [
            (y, x)
            for y in range(5)
            for x in range(5)
            if (image[y : y + 28, x : x + 28] == view).all()
        ]
        assert len(found) == 1
        corners.update(found)
    assert len(corners) > 6


def test_a_padded_crop_may_lie_beyond_the_photo(images):
    padded = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)))
    options = {"crop": 1.0, "padding": 4 / 32, "whole_pixels": True}
    (views,) = batches(images, **options, fill_mode="constant").batch(0, 0)
    beyond = 0
    for image, view in zip(padded, views, strict=True):
        found = [
            (y, x)
            for y in range(9)
            for x in range(9)
            if (image[y : y + 32, x : x + 32] == view).all()
        ]
        assert len(found) == 1
        beyond += found[0] != (4, 4)
    assert beyond > 6


def test_erased_parts_have_the_paper_s_sizes(rng):
    images = np.full((400, 40, 50, 3), 100, np.uint8)
    erase_parts(images, 0.5, rng.random((400, 6)))
    shares = (images != 100).any(axis=-1).mean(axis=(1, 2))
    touched = shares[shares > 0]
    assert 160 < len(touched) < 240
    assert 0.015 < touched.min() < touched.max() < 0.34
    # A part is a whole rectangle.
    where = np.nonzero((images[shares.argmax()] != 100).any(axis=-1))
    rows, columns = (np.ptp(axis) + 1 for axis in where)
    assert rows * columns == pytest.approx(shares.max() * 2000, rel=0.02)


def test_a_function_comes_last_and_is_seeded(images):
    seen = []

    def function(image, seed):
        seen.append(seed)
        return np.full_like(image, seed % 256) + 0.4

    def views(epoch, **more):
        return batches(images, function=function, **more).batch(epoch, 0)[0]

    first = views(0)
    assert {len(np.unique(view)) for view in first} == {1}
    assert first[:, 0, 0, 0].tolist() == [seed % 256 for seed in seen]
    assert len(set(seen)) == len(images)
    np.testing.assert_array_equal(first, views(0))
    assert (first != views(1)).any()


def test_a_resumed_run_is_held_to_the_function(images):
    from kerasdl.data._facts import photo_facts

    def blur(image, seed):
        return image

    data = ImageData.from_arrays(
        images,
        np.arange(12) % 2,
        valid=0.5,
        augment=Augment(function=blur),
        image_size=32,
        seed=1,
    )
    assert photo_facts(data)["augment"]["function"].endswith("blur")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"hue": 0.6}, "`hue` must be from 0 to 0.5. Received: hue=0.6"),
        ({"grey": -1}, "`grey` must be from 0 to 1"),
        ({"pca": 2}, "`pca` must be from 0 to 1"),
        ({"erase": 1.5}, "`erase` must be from 0 to 1"),
        ({"padding": -0.1}, "`padding` must be from 0 to 1"),
        ({"crop": 0}, "`crop` must be above 0, up to 1. Received: crop=0"),
        ({"function": 3}, "`function` must be a function .* function=3"),
    ],
)
def test_values_outside_their_range(arguments, words):
    with pytest.raises(ValueError, match=words):
        Augment(**arguments)


def test_a_function_must_keep_the_shape(images):
    data = batches(images, function=lambda image, seed: image[:5])
    with pytest.raises(ValueError, match="`function` must return .* Received: .5, 32"):
        data.batch(0, 0)
