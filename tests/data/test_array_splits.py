import numpy as np
import pytest

from kerasdl.data import ImageData

SIZE = (6, 9)


@pytest.fixture
def images():
    """Twenty images, the red of each its number."""
    images = np.zeros((20, *SIZE, 3), np.uint8)
    images[..., 0] = np.arange(20)[:, None, None]
    return images


LABELS = np.arange(20) % 2


def build(images, labels=LABELS, **options):
    return ImageData.from_arrays(images, labels, **{"seed": 1, **options})


def one_pass(dataset):
    return tuple(
        np.concatenate(a) for a in zip(*dataset.as_numpy_iterator(), strict=True)
    )


def test_the_same_interface_as_files(images):
    data = build(images, valid=0.3)
    assert data.image_size == SIZE
    assert data.class_names == ["0", "1"]
    assert data.counts().to_numpy().tolist() == [[7, 7], [3, 3]]
    assert data.root is None
    files = data.files("train") + data.files("valid")
    assert sorted(map(int, files)) == list(range(20))
    for split, dataset in (("train", data.train), ("valid", data.valid)):
        pixels, labels = one_pass(dataset)
        numbers = pixels[:, 0, 0, 0]
        np.testing.assert_array_equal(labels[:, 0], numbers % 2)
        assert set(numbers) == set(map(int, data.files(split)))
    pixels, _ = one_pass(data.valid)
    np.testing.assert_array_equal(pixels, images[np.int64(data.files("valid"))])
    np.testing.assert_array_equal(data.read("valid", 0), pixels[0])


def test_other_sizes_and_augmentation(images, tmp_path):
    data = build(images, image_size=12, augment="side_on")
    assert next(iter(data.train))[0].shape[1:] == (12, 12, 3)
    first, again = (one_pass(build(images, augment="chapter").train) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    data.preview(tmp_path / "preview.png", draws=4)
    assert (tmp_path / "preview.png").stat().st_size


def test_views_not_copies(images):
    data = build(images)
    assert all(np.shares_memory(view, images) for view in data.pictures("train"))
    with pytest.raises(ValueError, match="`paths` needs photos that are files"):
        data.paths("train")


@pytest.mark.parametrize("shape", [(20, *SIZE), (20, *SIZE, 1)])
def test_grey_becomes_rgb(shape, rng):
    grey = rng.integers(0, 256, shape, dtype=np.uint8)
    data = build(grey)
    pixels, _ = one_pass(data.valid)
    expected = grey.reshape(20, *SIZE, 1)[np.int64(data.files("valid"))]
    np.testing.assert_array_equal(pixels, np.repeat(expected, 3, axis=3))


def test_mirrored_views_and_read_only_arrays(rng):
    images = rng.integers(0, 256, (20, *SIZE, 3), dtype=np.uint8)
    images.flags.writeable = False
    data = build(images[:, ::-1, :, ::-1], augment="side_on")
    pixels, _ = one_pass(data.valid)
    expected = images[np.int64(data.files("valid"))][:, ::-1, :, ::-1]
    np.testing.assert_array_equal(pixels, expected)
    assert len(one_pass(data.train)[0]) == 16


def test_floats_are_rounded(images):
    data = build(images + np.float32(0.4))
    pixels, _ = one_pass(data.valid)
    np.testing.assert_array_equal(pixels[:, 0, 0, 0], np.int64(data.files("valid")))


def test_arrays_of_their_own_for_validation_and_test(images):
    data = build(
        images,
        valid=(images[:4], LABELS[:4]),
        test=(images[:3], LABELS[:3, None]),
    )
    assert [len(data.files(split)) for split in data.splits] == [20, 4, 3]
    assert data.files("valid") == ["0", "1", "2", "3"]
    np.testing.assert_array_equal(data.labels("test"), [0, 1, 0])
    unlabelled = build(images, test=images[:5])
    assert [len(unlabelled.files(split)) for split in unlabelled.splits] == [16, 4, 5]
    assert unlabelled.test.element_spec.shape == (None, *SIZE, 3)
    shares = build(images, valid=0.2, test=0.3)
    assert [len(shares.files(split)) for split in shares.splits] == [10, 4, 6]


def test_labels_of_several_kinds(images):
    names = build(images, np.where(LABELS, "cat", "dog"))
    assert names.class_names == ["cat", "dog"]
    numbers = np.int64(names.files("train"))
    np.testing.assert_array_equal(names.labels("train"), 1 - LABELS[numbers])
    given = build(images, LABELS, class_names=["dog", "cat", "emu"])
    assert given.counts().loc["train"].tolist() == [8, 8, 0]
    ordered = build(images, np.where(LABELS, "cat", "dog"), class_names=["dog", "cat"])
    np.testing.assert_array_equal(ordered.labels("train"), given.labels("train"))
    # Numbers in the order of numbers: 2 before 10.
    assert build(images, np.where(LABELS, 10, 2)).class_names == ["2", "10"]
    assert build(images, LABELS.astype("float32")[:, None]).class_names == ["0", "1"]


def test_several_labels_an_image(images):
    hot = np.stack([LABELS, 1 - LABELS, np.ones(20, int)], axis=1)
    data = build(images, hot, class_names=["odd", "even", "all"])
    assert data.label_mode == "multi_label"
    pixels, labels = one_pass(data.train)
    np.testing.assert_array_equal(labels, hot[pixels[:, 0, 0, 0].astype(int)])
    # A split of rows with one label or none is fine.
    few = build(images, hot, valid=(images[:2], np.eye(3, k=1)[1:]))
    assert few.labels("valid").tolist() == [[0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((20, 6))}, r"images \(n, height, width\).*\(20, 6\)"),
        ({"images": np.zeros((20, 6, 9, 4), "uint8")}, r"1 or 3\) of uint8 or float"),
        ({"images": np.zeros((20, 6, 9), "int64")}, "of int64"),
        ({"images": np.full((20, 6, 9), 0.5)}, r"pixels in \[0, 255\].*0.5 to 0.5"),
        ({"images": np.full((20, 6, 9), 256.0)}, r"pixels in \[0, 255\]"),
        ({"images": np.full((20, 6, 9), np.nan)}, r"pixels in \[0, 255\]"),
        ({"labels": LABELS[:5]}, r"for each image.*shape \(5,\) for 20 images"),
        ({"labels": LABELS - 1}, r"`labels` must have.*at least 0.* with -1"),
        ({"labels": LABELS / 2}, "`labels` must have labels that are int.* with 0.5"),
        (
            {"labels": np.where(LABELS, np.nan, 0)},
            "labels that are integers.* with nan",
        ),
        ({"labels": np.where(LABELS, 1e300, 0)}, "labels that are integers.* with 1e"),
        (
            {"labels": np.where(LABELS, None, "a")},
            "labels that are integers.* with None",
        ),
        ({"labels": [b"a", b"b"] * 10}, "integers of at least 0, or strings.*b'a'"),
        ({"labels": [[0], [0, 1]] * 10}, "`labels` must have a label, or a row"),
        ({"labels": ["  ", "a"] * 10}, "`labels` must be non-empty names.*'  '"),
        ({"class_names": [None, "a"]}, "`class_names` must be non-empty names.* None"),
        ({"images": None}, "for each image"),
        ({"valid": (np.zeros((2, 6, 9), "uint8"),)}, "`valid` must be a pair"),
        ({"labels": np.eye(2)[LABELS]}, "one-hot rows. Pass labels.argmax"),
        ({"labels": np.full((20, 2), 2)}, "multi-hot labels of 0 and 1"),
        ({"labels": np.zeros(20, int)}, r"at least two classes.*\['0'\]"),
        ({"class_names": ["a", "a"]}, "names of their own"),
        ({"labels": LABELS + 1, "class_names": ["a", "b"]}, r"of 2 classes.*\[2\]"),
        ({"valid": (np.zeros((2, 6, 9), "uint8"), [0, 5])}, r"`valid` must.*\[5\]"),
        ({"valid": 0.9, "test": 0.5}, "below 1 together"),
        ({"valid": 1.0}, "`valid` must be above 0"),
        (
            {"valid": (np.zeros((2, 6, 9), "uint8"), [0, 1]), "test": 0.5},
            "`test` must be arrays or None",
        ),
        ({"test": np.full((2, 6, 9), 0.5)}, r"`test` must be pixels in \[0, 255\]"),
    ],
)
def test_what_does_not_fit_is_refused(images, change, message):
    with pytest.raises(ValueError, match=message):
        build(**{"images": images, **change})
