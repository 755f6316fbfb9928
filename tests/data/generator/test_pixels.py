"""Pixels and geometry of the transforms, beside those of the legacy class."""

import numpy as np
import pytest
from PIL import Image
from tensorflow.keras.preprocessing.image import ImageDataGenerator as Legacy

from kerasdl.data.generator import ImageDataGenerator

TRANSFORMS = {
    "rotation": {"theta": 33.3},
    "right angle": {"theta": 90},
    "shift": {"tx": 7, "ty": -3},
    "half a pixel": {"tx": 0.5, "ty": 2.5},
    "beyond the image": {"tx": 75},
    "shear": {"shear": 21.0},
    "zoom": {"zx": 0.7, "zy": 1.4},
    "twice as far": {"zx": 2, "zy": 2},
    "flips": {"flip_horizontal": True, "flip_vertical": True},
    "channels": {"channel_shift_intensity": -40.5},
    "brightness": {"brightness": 1.3},
    "all": {
        **{"theta": -20, "tx": 3.3, "ty": -4.1, "shear": 10, "zx": 0.9, "zy": 1.2},
        **{"flip_horizontal": True, "channel_shift_intensity": 12.0},
        "brightness": 0.6,
    },
}


def with_fixed_transform(cls, transform, **kwargs):
    class Fixed(cls):
        def get_random_transform(self, img_shape, seed=None):
            return transform

    return Fixed(**kwargs)


@pytest.mark.filterwarnings("ignore:NumpyArrayIterator is set to use")
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_arrays_have_the_pixels_of_the_legacy_class(name, fill_mode, order, channels):
    if TRANSFORMS[name].get("brightness") and channels not in (1, 3, 4):
        return  # the legacy class makes a Pillow image of it
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (2, 31, 46, channels)).astype("float32")
    kwargs = {"fill_mode": fill_mode, "cval": 99.5, "interpolation_order": order}
    ours, theirs = (
        next(
            with_fixed_transform(cls, TRANSFORMS[name], **kwargs).flow(
                images, shuffle=False
            )
        )
        for cls in (ImageDataGenerator, Legacy)
    )
    # Whole pixels after a change of brightness: what rounds otherwise is one off.
    whole = "brightness" in TRANSFORMS[name]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1.5 if whole else 5e-3)
    assert np.mean(ours != theirs) < (1e-3 if whole else 1)


@pytest.mark.parametrize("low", [-60.0, 0.0, 100.0])
def test_brightness_of_any_range(low):
    image = np.random.default_rng(0).uniform(low, low + 255, (9, 8, 4))
    image = image.astype("float32")
    ours, theirs = (
        cls().apply_transform(image, {"brightness": 1.4})
        for cls in (ImageDataGenerator, Legacy)
    )
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3)


def test_height_shift_moves_sideways_as_in_the_legacy_class():
    image = np.zeros((9, 9, 1), "float32")
    image[4, 4] = 1
    for cls in (ImageDataGenerator, Legacy):
        transform = cls(height_shift_range=[2]).get_random_transform((9, 9, 1), seed=0)
        assert abs(transform["tx"]) == 2
        moved = cls().apply_transform(image, transform)
        assert moved[4, 4 - transform["tx"]] == 1


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A smooth photo of 300x400: nearest and bilinear samples of it are close."""
    root = tmp_path_factory.mktemp("photo")
    y, x = np.mgrid[:300, :400] / 100
    channels = [np.sin(2 * x + y), np.cos(x - 2 * y), np.sin(x * y / 2)]
    pixels = (np.stack(channels, -1) * 127 + 128).astype(np.uint8)
    (root / "one").mkdir()
    Image.fromarray(pixels).save(root / "one" / "photo.png")
    Image.fromarray(pixels).save(root / "one" / "photo.jpg", quality=95)
    Image.fromarray(pixels).save(root / "one" / "photo.tif")
    return root


@pytest.mark.parametrize(
    ("target_size", "fill_mode"),
    [
        ((90, 50), "constant"),
        ((60, 80), "nearest"),
        ((310, 60), "nearest"),
        ((90, 50), "reflect"),
        ((60, 80), "wrap"),
    ],
)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_photos_have_the_geometry_of_the_legacy_class(
    name, target_size, fill_mode, photo
):
    ours, theirs = (
        next(
            with_fixed_transform(
                cls, TRANSFORMS[name], fill_mode=fill_mode, cval=99.5
            ).flow_from_directory(
                photo, target_size=target_size, shuffle=False, class_mode=None
            )
        )
        for cls in (ImageDataGenerator, Legacy)
    )
    assert ours.shape == (3, *target_size, 3)
    gap = np.abs(ours - theirs)
    # Nearest by the legacy class, bilinear by ours: half a pixel of this photo is a
    # few levels. Where an edge runs, the two may show different sides of it: SciPy's
    # "wrap" repeats an image after one pixel less than its length.
    assert np.median(gap) < 5
    assert np.mean(gap > 15) < (0.16 if fill_mode == "wrap" else 0.08)


@pytest.mark.parametrize("order", [2, 3])
def test_photos_under_higher_splines_are_resized_first(order, photo):
    kwargs = {"fill_mode": "reflect", "interpolation_order": order}
    ours, theirs = (
        next(
            with_fixed_transform(cls, TRANSFORMS["all"], **kwargs).flow_from_directory(
                photo, (36, 44), shuffle=False, interpolation="bilinear"
            )
        )[0]
        for cls in (ImageDataGenerator, Legacy)
    )
    assert np.median(np.abs(ours - theirs)) < 3


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"rotation_range": 40, "shear_range": 10.0, "zoom_range": [0.5, 1.5]},
        {"width_shift_range": 0.2, "height_shift_range": 7},
        {"width_shift_range": [1, 2], "height_shift_range": 3.5},
        {"horizontal_flip": True, "vertical_flip": True},
        {"channel_shift_range": 9.0, "brightness_range": (0.5, 2)},
    ],
    ids=str,
)
def test_draws_are_those_of_the_legacy_class_and_leave_the_global_state_alone(kwargs):
    before = np.random.get_state()[1].copy()
    ours = [
        ImageDataGenerator(**kwargs).get_random_transform((50, 60, 3), seed=s)
        for s in range(20)
    ]
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    theirs = [
        Legacy(**kwargs).get_random_transform((50, 60, 3), seed=s) for s in range(20)
    ]
    assert ours == theirs


def test_random_transform_is_the_drawn_one():
    generator = ImageDataGenerator(rotation_range=40, zoom_range=0.2)
    image = np.random.default_rng(0).uniform(0, 255, (9, 9, 3)).astype("float32")
    transform = generator.get_random_transform(image.shape, seed=5)
    np.testing.assert_array_equal(
        generator.random_transform(image, seed=5),
        generator.apply_transform(image, transform),
    )


@pytest.mark.parametrize("augment", [False, True])
def test_fit_measures_what_the_legacy_class_measures(augment):
    images = np.random.default_rng(0).uniform(0, 255, (20, 6, 6, 3))
    kwargs = {"rescale": 1 / 255, "rotation_range": 40, "horizontal_flip": True}
    for statistics in (
        {"featurewise_center": True, "featurewise_std_normalization": True},
        {"featurewise_center": True, "zca_whitening": True, "zca_epsilon": 0.1},
    ):
        ours, theirs = (
            cls(**kwargs, **statistics) for cls in (ImageDataGenerator, Legacy)
        )
        for generator in (ours, theirs):
            generator.fit(images, augment=augment, rounds=2, seed=3)
        for name in ("mean", "std", "zca_whitening_matrix"):
            expected = getattr(theirs, name)
            if expected is None:
                assert getattr(ours, name) is None
            else:
                scale = np.abs(expected).max()
                np.testing.assert_allclose(
                    getattr(ours, name), expected, rtol=0, atol=1e-4 * scale
                )


def test_statistics_may_be_set_by_hand():
    generator = ImageDataGenerator(featurewise_center=True)
    generator.mean = [1.0, 2.0, 3.0]
    batch = next(generator.flow(np.full((2, 4, 4, 3), 10, np.uint8)))
    np.testing.assert_array_equal(batch[0, 0, 0], [9, 8, 7])


def test_missing_statistics_are_refused_before_any_work():
    for name in (
        "featurewise_center",
        "featurewise_std_normalization",
        "zca_whitening",
    ):
        with pytest.raises(ValueError, match=r"must have seen images.*Call `fit"):
            ImageDataGenerator(**{name: True}).flow(np.zeros((2, 4, 4, 3)))
    with pytest.raises(ValueError, match="`x` must be images"):
        ImageDataGenerator().fit(np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match="`rounds` must be"):
        ImageDataGenerator().fit(np.zeros((2, 4, 4, 3)), augment=True, rounds=0)
