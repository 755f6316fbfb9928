"""Every constructor argument: what it does in the legacy class, or an error."""

import inspect

import numpy as np
import pytest
from tensorflow.keras.preprocessing.image import ImageDataGenerator as Legacy

from kerasdl.data.generator import ImageDataGenerator


def images():
    return np.random.default_rng(0).uniform(0, 255, (8, 12, 12, 3)).astype("float32")


def negative(image):
    return 255 - image


# Argument: (what it stands beside, values to compare). Each value must change what
# comes out: an argument that is accepted and ignored fails.
CONSTRUCTOR = {
    "featurewise_center": ({}, [True]),
    "samplewise_center": ({}, [True]),
    "featurewise_std_normalization": ({}, [True]),
    "samplewise_std_normalization": ({}, [True]),
    "zca_whitening": ({}, [True]),
    "zca_epsilon": ({"zca_whitening": True}, [100.0]),
    "rotation_range": ({}, [30, 0.5]),
    "width_shift_range": ({}, [0.3, 2.5, 4, [1, 3], [0.25, 0.5]]),
    "height_shift_range": ({}, [0.3, 2.5, 4, [1, 3], [0.25, 0.5]]),
    "brightness_range": ({}, [(0.2, 0.8), [1.5, 2.5]]),
    "shear_range": ({}, [25.0]),
    "zoom_range": ({}, [0.4, (0.5, 0.9), [1.1, 2.0]]),
    "channel_shift_range": ({}, [60.0]),
    "fill_mode": ({"rotation_range": 40}, ["constant", "reflect", "wrap"]),
    "cval": ({"rotation_range": 40, "fill_mode": "constant"}, [200.0, -3.5]),
    "horizontal_flip": ({}, [True]),
    "vertical_flip": ({}, [True]),
    "rescale": ({}, [1 / 255, 2]),
    "preprocessing_function": ({}, [negative]),
    "interpolation_order": ({"rotation_range": 40}, [0, 2, 3, 5]),
    "dtype": ({}, ["float64"]),
}
REFUSED_BY_CONSTRUCTOR = {
    "data_format": ["channels_first"],
    "dtype": ["uint8", "float16"],
    "fill_mode": ["mirror"],
    "interpolation_order": [-1, 6],
    "validation_split": [1.0, -0.1],
    "zoom_range": [(1, 2, 3), "0.2"],
    "brightness_range": [0.5, (1,)],
}
# `validation_split` is compared by the test of `subset`, of each flow; of `data_format`
# one value is left.
ELSEWHERE = {"validation_split", "data_format"}


def arguments(cls):
    return {*inspect.signature(cls).parameters}


def transformed(cls, kwargs):
    generator = cls(**kwargs)
    generator.fit(images())
    results = []
    for seed in range(6):
        image = images()[seed].astype(generator.dtype)
        transform = generator.get_random_transform(image.shape, seed=seed)
        image = generator.apply_transform(image, transform)
        results.append(generator.standardize(image))
    return np.stack(results)


@pytest.mark.filterwarnings("ignore:This ImageDataGenerator specifies")
@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, (_, values) in CONSTRUCTOR.items() for value in values],
)
def test_constructor_argument_does_what_it_does_in_the_legacy_class(name, value):
    beside, _ = CONSTRUCTOR[name]
    kwargs = {**beside, name: value}
    ours, theirs = transformed(ImageDataGenerator, kwargs), transformed(Legacy, kwargs)
    assert ours.dtype == theirs.dtype
    # 1e-3 of [0, 255], bilinear in float32; whitening amplifies rounding.
    scale = np.abs(theirs).max()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=max(1e-3, 1e-4 * scale))
    plain = transformed(ImageDataGenerator, beside)
    assert ours.dtype != plain.dtype or not np.allclose(ours, plain, atol=1e-2)


@pytest.mark.parametrize("name", REFUSED_BY_CONSTRUCTOR)
def test_constructor_refuses(name):
    for value in REFUSED_BY_CONSTRUCTOR[name]:
        with pytest.raises(ValueError, match=f"`{name}` must be .*{name}="):
            ImageDataGenerator(**{name: value})


def test_constructor_refuses_what_the_legacy_class_overrides():
    with pytest.raises(
        ValueError, match="`featurewise_std_normalization` must be False"
    ):
        ImageDataGenerator(zca_whitening=True, featurewise_std_normalization=True)


def test_every_constructor_argument_is_covered():
    covered = {*CONSTRUCTOR, *ELSEWHERE}
    assert arguments(Legacy) == covered
    assert arguments(ImageDataGenerator) == covered
    ours, theirs = (inspect.signature(c) for c in (ImageDataGenerator, Legacy))
    assert [p.default for p in ours.parameters.values()] == [
        p.default for p in theirs.parameters.values()
    ]
