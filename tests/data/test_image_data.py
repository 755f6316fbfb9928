import os
import warnings

import keras
import numpy as np
import pytest
from PIL import Image

import kerasdl
from kerasdl.data import Augment, ImageData, ImageError

SIZE = 12


def save_photo(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    photo = Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    photo.save(path)


def fill(folder, counts):
    """Photos of their own, `counts` of each class."""
    for name, count in counts.items():
        for i in range(count):
            save_photo(
                folder / name / f"{i:02}.png", [*f"{folder.name}{name}{i}".encode()]
            )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Splits of two classes."""
    folder = tmp_path_factory.mktemp("split")
    fill(folder / "train", {"cats": 9, "dogs": 12})
    fill(folder / "valid", {"cats": 4, "dogs": 3})
    fill(folder / "test", {"cats": 2, "dogs": 2})
    return folder


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """Class folders alone, of several sizes."""
    folder = tmp_path_factory.mktemp("classes")
    fill(folder, {"ants": 10, "bees": 20, "crows": 4})
    return folder


def build(path, **options):
    return ImageData.from_folder(
        path, **{"image_size": SIZE, "batch_size": 4, "seed": 7, **options}
    )


def one_pass(dataset):
    return tuple(
        np.concatenate(a) for a in zip(*dataset.as_numpy_iterator(), strict=True)
    )


def read(path):
    return np.asarray(Image.open(path))


def test_splits_of_a_folder(folder, capsys):
    data = build(folder, test="test")
    assert "2 classes: cats, dogs" in capsys.readouterr().out
    assert kerasdl.ImageData is ImageData
    assert data.class_names == ["cats", "dogs"]
    assert data.splits == ["train", "valid", "test"]
    assert data.image_size == (SIZE, SIZE)
    assert data.files("valid")[:5] == [
        "valid/cats/00.png",
        "valid/cats/01.png",
        "valid/cats/02.png",
        "valid/cats/03.png",
        "valid/dogs/00.png",
    ]
    assert data.paths("test")[0] == folder / "test" / "cats" / "00.png"
    np.testing.assert_array_equal(data.labels("valid"), [0] * 4 + [1] * 3)
    expected = {"cats": [9, 4, 2], "dogs": [12, 3, 2]}
    assert data.counts().to_dict("list") == expected
    assert list(data.counts().index) == ["train", "valid", "test"]


def test_a_test_split_is_optional(folder):
    data = build(folder)
    assert data.test is None
    assert data.splits == ["train", "valid"]


def test_splits_may_have_other_names(folder):
    data = build(folder, train="test", valid="train", test="valid")
    assert [len(data.files(split)) for split in data.splits] == [4, 21, 7]


def test_validation_and_test_keep_their_file_order_and_pixels(folder):
    data = build(folder, test="test", augment="side_on")
    for split, dataset in (("valid", data.valid), ("test", data.test)):
        for _ in range(2):
            images, labels = one_pass(dataset)
            expected = [read(path) for path in data.paths(split)]
            np.testing.assert_array_equal(images, expected)
            np.testing.assert_array_equal(labels, data.encoded_labels(split))


def test_training_photos_are_shuffled_and_augmented_anew_each_pass(folder):
    data = build(folder, augment=Augment(horizontal_flip=True))
    files = {read(path).tobytes(): row for row, path in enumerate(data.paths("train"))}
    mirrored = {
        read(path)[:, ::-1].tobytes(): row
        for row, path in enumerate(data.paths("train"))
    }
    orders, flips = [], []
    for _ in range(3):
        images, labels = one_pass(data.train)
        keys = [image.astype("uint8").tobytes() for image in images]
        order = [files.get(key, mirrored.get(key)) for key in keys]
        np.testing.assert_array_equal(labels[:, 0], data.labels("train")[order])
        assert sorted(order) == list(range(21))
        orders.append(order)
        flips.append([key in mirrored for key in keys])
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert len(set(map(tuple, flips))) == 3
    assert 0.25 < np.mean(flips) < 0.75


def test_a_seed_repeats_everything_and_a_resumed_run_goes_on(folder):
    whole = build(folder, augment="chapter")
    passes = [one_pass(whole.train)[0] for _ in range(3)]
    resumed = build(folder, augment="chapter")
    resumed.start_epoch(2)
    np.testing.assert_array_equal(one_pass(resumed.train)[0], passes[2])
    resumed.start_epoch(0)
    np.testing.assert_array_equal(one_pass(resumed.train)[0], passes[0])
    other = build(folder, augment="chapter", seed=8)
    assert (one_pass(other.train)[0] != passes[0]).any()


def test_a_missing_seed_is_drawn_and_kept(folder, capsys):
    data = build(folder, seed=None)
    assert f"seed={data.seed} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("label_mode", "shape"), [(None, (4, 1)), ("int", (4,)), ("categorical", (4, 2))]
)
def test_labels(folder, label_mode, shape):
    data = build(folder, label_mode=label_mode)
    _, labels = next(iter(data.valid))
    assert labels.shape == shape
    np.testing.assert_array_equal(labels, data.encoded_labels("valid")[:4])
    np.testing.assert_array_equal(data.labels("valid")[:4], [0, 0, 0, 0])


def test_a_split_is_drawn_from_each_class_by_the_seed(classes):
    data = build(classes, valid_fraction=0.25)
    assert data.splits == ["train", "valid"]
    np.testing.assert_array_equal(data.counts().to_numpy(), [[8, 15, 3], [2, 5, 1]])
    train, valid = set(data.files("train")), set(data.files("valid"))
    assert not train & valid
    assert len(train | valid) == 34
    again, other = (build(classes, valid_fraction=0.25, seed=s) for s in (7, 8))
    assert again.files("valid") == data.files("valid")
    assert other.files("valid") != data.files("valid")
    assert data.files("valid") == sorted(data.files("valid"))
    _, labels = next(iter(data.valid))
    assert labels.shape == (4, 3)
    images, labels = one_pass(data.valid)
    np.testing.assert_array_equal(images, [read(p) for p in data.paths("valid")])
    np.testing.assert_array_equal(labels, np.eye(3)[data.labels("valid")])


def test_excluded_files_are_left_out(folder, classes):
    exclude = {"train/cats/03.png": "truncated", "valid/dogs/00.png": "empty file"}
    data = build(folder, exclude=exclude)
    assert data.counts().to_dict("list") == {"cats": [8, 4], "dogs": [12, 2]}
    assert not set(exclude) & {*data.files("train"), *data.files("valid")}
    data = build(classes, exclude=["ants/00.png"], valid_fraction=0.5)
    assert "ants/00.png" not in data.files("train") + data.files("valid")
    assert len(data.files("train") + data.files("valid")) == 33


def test_a_class_of_damaged_files_alone(folder, classes):
    exclude = [f"valid/dogs/{i:02}.png" for i in range(3)]
    with pytest.raises(ValueError, match=r"not in `exclude`.*'dogs' in '.*valid'"):
        build(folder, exclude=exclude)
    exclude = [f"crows/{i:02}.png" for i in range(4)]
    with pytest.raises(ValueError, match="not in `exclude`.* none of 'crows' in"):
        build(classes, exclude=exclude, valid_fraction=0.5)


@pytest.mark.parametrize(("limit", "counts"), [(3, [1, 1, 1]), (17, [5, 10, 2])])
def test_fewer_training_photos_in_proportion(classes, tmp_path, limit, counts):
    os.symlink(classes, tmp_path / "train")
    os.symlink(classes, tmp_path / "valid")
    data = build(tmp_path, max_train=limit)
    assert data.counts().loc["train"].tolist() == counts
    assert data.counts().loc["valid"].tolist() == [10, 20, 4]
    assert data.files("train") == sorted(data.files("train"))
    assert build(tmp_path, max_train=limit).files("train") == data.files("train")
    assert build(tmp_path, max_train=limit, seed=8).files("train") != data.files(
        "train"
    )
    more = build(tmp_path, max_train=limit + 5)
    assert len(more.files("train")) == limit + 5
    assert set(data.files("train")) < set(more.files("train"))


def test_a_limit_above_the_number_of_photos_takes_all(folder):
    assert len(build(folder, max_train=21).files("train")) == 21
    assert len(build(folder, max_train=99).files("train")) == 21


def test_another_augmentation_of_the_same_photos(folder):
    plain = build(folder, test="test", label_mode="int", resize="pad", on_error="raise")
    augmented = plain.with_augment("side_on")
    assert augmented.augment == "side_on"
    assert plain.augment is None
    for name in ("root", "class_names", "image_size", "batch_size", "resize", "seed"):
        assert getattr(augmented, name) == getattr(plain, name)
    assert (augmented.label_mode, augmented.on_error) == ("int", "raise")
    for split in plain.splits:
        assert augmented.files(split) == plain.files(split)
    for ours, theirs in ((plain.valid, augmented.valid), (plain.test, augmented.test)):
        np.testing.assert_array_equal(one_pass(ours)[0], one_pass(theirs)[0])
    images, labels = one_pass(augmented.train)
    plain_images, plain_labels = one_pass(plain.train)
    np.testing.assert_array_equal(labels, plain_labels)  # the order is the seed's
    assert (images != plain_images).any(axis=(1, 2, 3)).all()
    expected = build(folder, resize="pad", augment="side_on")
    np.testing.assert_array_equal(images, one_pass(expected.train)[0])
    back = augmented.with_augment(None)
    np.testing.assert_array_equal(one_pass(back.train)[0], plain_images)


def test_one_photo_is_read_plain(folder):
    data = build(folder, augment="side_on")
    photo = data.read("valid", 2)
    assert photo.dtype == np.uint8
    np.testing.assert_array_equal(photo, read(data.paths("valid")[2]))
    small = build(folder, image_size=(6, 9), resize="squash")
    assert small.read("train", 0).shape == (6, 9, 3)


def test_the_preview_shows_the_draws_of_one_photo(folder, tmp_path):
    data = build(folder, augment=Augment(horizontal_flip=True))
    data.preview(tmp_path / "preview.png", index=3, draws=16)
    grid = np.asarray(Image.open(tmp_path / "preview.png").convert("RGB"))
    photo = read(data.paths("train")[3])
    plain = mirrored = 0
    for top in range(grid.shape[0] - SIZE + 1):
        for left in range(grid.shape[1] - SIZE + 1):
            tile = grid[top : top + SIZE, left : left + SIZE]
            plain += (tile == photo).all()
            mirrored += (tile == photo[:, ::-1]).all()
    assert plain + mirrored == 16
    assert 2 < plain < 14
    # It takes no epoch away from the training.
    assert data._photos["train"].stream.next_epoch == 0


def test_the_preview_of_a_damaged_photo(folder, tmp_path):
    for name in ("a", "b"):
        save_photo(tmp_path / "train" / name / "0.png", 0)
        save_photo(tmp_path / "valid" / name / "0.png", 1)
    data = build(tmp_path)
    (tmp_path / "train" / "a" / "0.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"a/0\.png: empty file"):
        data.preview(tmp_path / "preview.png")
    assert not (tmp_path / "preview.png").exists()
    with pytest.raises(ValueError, match="`draws` must be an integer of at least 1"):
        data.preview(tmp_path / "preview.png", draws=0)


def test_fit_and_evaluate(folder):
    data = build(folder, augment="side_on")
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit(
            data.train, validation_data=data.valid, epochs=2, shuffle=False, verbose=0
        )
    assert len(history.history["val_accuracy"]) == 2
    # Labels and predictions of separate passes belong together.
    outputs = model.predict(data.valid, verbose=0)[:, 0]
    accuracy = ((outputs > 0.5) == data.labels("valid")).mean()
    measured = model.evaluate(data.valid, verbose=0, return_dict=True)["accuracy"]
    np.testing.assert_allclose(accuracy, measured, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"train": "training"},
            "`path` must hold the folder 'training'.*valid_fraction",
        ),
        ({"valid": "val"}, "`path` must hold the folder 'val'"),
        ({"test": "testing"}, "`path` must hold the folder 'testing'"),
        ({"valid_fraction": 0.5}, r"class folders alone.*\(folder 'train'\)"),
        ({"valid_fraction": 0.5, "test": "test"}, "or no validation photos, with"),
        ({"max_train": 0}, "`max_train` must be an integer of at least 1"),
        ({"max_train": 1}, r"`max_train` must be at least the number.*\(2 classes\)"),
        ({"image_size": (3,)}, "`image_size` must be one side or"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"augment": "mirror"}, "`augment` must be one of 'none', 'side_on'"),
        ({"augment": "top_down", "image_size": (4, 5)}, "`image_size` must be square"),
        ({"resize": "fit"}, "`resize` must be one of"),
        ({"label_mode": "one"}, "`label_mode` must be one of"),
        ({"on_error": "warn"}, "`on_error` must be one of"),
        ({"seed": 1.5}, "`seed` must be None or an integer"),
    ],
)
def test_wrong_arguments(folder, options, message):
    with pytest.raises(ValueError, match=message):
        build(folder, **options)


@pytest.mark.parametrize("fraction", [0, 1, 1.5])
def test_no_fraction(classes, fraction):
    with pytest.raises(ValueError, match="`valid_fraction` must be above 0 and"):
        build(classes, valid_fraction=fraction)


def test_splits_with_different_classes(tmp_path):
    fill(tmp_path / "train", {"cats": 1, "dogs": 1, "emus": 1})
    fill(tmp_path / "valid", {"cats": 1, "dogs": 1, "fish": 1})
    message = (
        r"same classes in each split.*\(emus, fish not in both 'train' and 'valid'"
    )
    with pytest.raises(ValueError, match=message):
        build(tmp_path)


def test_folders_without_what_is_needed(tmp_path):
    with pytest.raises(ValueError, match="`path` must be an existing directory"):
        build(tmp_path / "missing")
    fill(tmp_path / "train", {"cats": 1, "dogs": 1})
    fill(tmp_path / "valid", {"cats": 1})
    with pytest.raises(ValueError, match=r"at least two folders.*\(1 folder: 'cats'\)"):
        build(tmp_path)
    (tmp_path / "valid" / "dogs").mkdir()
    with pytest.raises(ValueError, match="no image in 'dogs'"):
        build(tmp_path)


def test_an_unknown_split(folder):
    data = build(folder)
    for call in (data.files, data.paths, data.labels, data.encoded_labels):
        with pytest.raises(ValueError, match="`split` must be one of 'train', 'valid'"):
            call("test")


def test_real_photos(real_data):
    folder = real_data / "data" / "cats_dogs"
    data = build(folder, test="test", image_size=150, batch_size=64, augment="side_on")
    assert data.counts().to_numpy().sum(axis=1).tolist() == [2000, 1000, 1000]
    images, labels = next(iter(data.train))
    assert images.shape == (64, 150, 150, 3)
    assert 90 < images.numpy().mean() < 150
    assert 16 < labels.numpy().sum() < 48
