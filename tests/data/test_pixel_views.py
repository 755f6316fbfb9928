"""Views of whole pixels are what a warp of the same matrices gives."""

import numpy as np
import pytest

from kerasdl.data import Augment, PhotoBatches, warp_image
from kerasdl.data._pixel_views import are_whole, whole_views
from kerasdl.data.augment import NUM_DRAWS

WHOLE = Augment(
    width_shift_range=0.4,
    height_shift_range=0.6,
    horizontal_flip=True,
    vertical_flip=True,
    whole_pixels=True,
)


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_views_are_those_of_a_warp(rng, fill_mode, channels):
    stack = rng.integers(0, 256, (5, 7, 10, *channels), dtype=np.uint8)
    rows = rng.integers(0, 5, 64)
    transforms = WHOLE.transforms(rng.random((64, NUM_DRAWS)), (7, 10))
    assert are_whole(transforms)
    views = whole_views(stack, rows, transforms, fill_mode)
    for view, row, transform in zip(views, rows, transforms, strict=True):
        image = stack[row].reshape(7, 10, -1)
        expected = warp_image(image, (7, 10), transform=transform, fill_mode=fill_mode)
        np.testing.assert_array_equal(view.reshape(expected.shape), expected)


def test_the_stack_stays_as_it_was(rng):
    stack = rng.integers(0, 256, (3, 4, 4), dtype=np.uint8)
    before = stack.copy()
    transforms = WHOLE.transforms(rng.random((9, NUM_DRAWS)), (4, 4))
    whole_views(stack, np.arange(9) % 3, transforms, "constant")
    np.testing.assert_array_equal(stack, before)


@pytest.mark.parametrize(
    ("augment", "whole"),
    [
        (Augment(), True),
        (Augment(horizontal_flip=True, vertical_flip=True, brightness=0.5), True),
        (WHOLE, True),
        (Augment(width_shift_range=0.2), False),
        (Augment(rotation_range=5), False),
        (Augment(zoom_range=(0.9, 1.0)), False),
        (Augment(transpose=True), False),
    ],
)
def test_what_is_whole(rng, augment, whole):
    transforms = augment.transforms(rng.random((50, NUM_DRAWS)), (8, 8))
    assert are_whole(transforms) == whole


def test_whole_shifts_are_all_equally_likely(rng):
    augment = Augment(
        width_shift_range=0.125, height_shift_range=0.06, whole_pixels=True
    )
    shifts = augment.transforms(rng.random((9000, NUM_DRAWS)), (32, 32))[:, :2, 2]
    values, counts = np.unique(shifts[:, 0], return_counts=True)
    assert values.tolist() == list(range(-4, 5))  # 0.125 * 32 = 4
    assert counts.min() > 850  # 1000 on average, deviation 30
    assert np.unique(shifts[:, 1]).tolist() == [-1, 0, 1]  # 0.06 * 32 = 1.92


@pytest.mark.parametrize("resize", ["crop", "pad"])
@pytest.mark.parametrize("gray", [True, False])
def test_batches_are_the_same_with_and_without_a_stack(rng, resize, gray):
    """A picture of another size among them makes each of them go through a warp."""
    shape = (12, 8, 8) if gray else (12, 8, 8, 3)
    images = list(rng.integers(0, 256, shape, dtype=np.uint8))
    augment = Augment(
        width_shift_range=0.3,
        horizontal_flip=True,
        brightness=0.2,
        saturation=0.3,
        whole_pixels=True,
    )
    settings = dict(image_size=8, batch_size=5, resize=resize, augment=augment, seed=3)
    labels = np.arange(13)
    stacked = PhotoBatches(images, labels[:12], **settings)
    odd = images[0][:6]
    warped = PhotoBatches([*images, odd], labels, **settings)
    for index in range(2):
        found, found_labels = stacked.batch(1, index)
        expected, expected_labels = warped.batch(1, index)
        assert found.shape == (5, 8, 8, 3)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(found_labels, expected_labels)
