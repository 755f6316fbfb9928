"""Validation photos of one's own choice, or none: all train."""

import keras
import numpy as np
import pandas as pd
import pytest

import kerasdl
from kerasdl import callbacks, train
from kerasdl.classification import TTAEvaluation, precompute
from kerasdl.data import ImageData


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_photos):
    """Six photos each of a and b, by number, in no split, and in three."""
    root = tmp_path_factory.mktemp("photos")
    write_photos(root, {"flat": 6}, ("a", "b"))
    return write_photos(root, {"train": 4, "valid": 2, "test": 1}, ("a", "b"))


@pytest.fixture
def arrays():
    """Twelve images whose label is their number, modulo 2."""
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), np.uint8)
    return images, np.arange(12) % 2


def of_folder(path, **options):
    return ImageData.from_folder(path, image_size=8, **{"seed": 1, **options})


def of_table(path, **options):
    names = [f"{name}/{number}" for name in "ab" for number in range(6)]
    table = pd.DataFrame({"id": names, "label": [name[0] for name in names]})
    settings = {"suffix": ".png", "image_size": 8, "seed": 1, **options}
    return ImageData.from_table(table, path / "flat", **settings)


def test_positions_in_arrays(arrays):
    for rows in ([7, 0], np.array([0, 7]), pd.Series([7, 0])):
        data = ImageData.from_arrays(*arrays, valid=rows, test=0.3, seed=1)
        assert data.splits == ["train", "valid", "test"]
        assert data.files("valid") == ["0", "7"]
        assert data.labels("valid").tolist() == [0, 1]
        assert len(data.files("test")) == 4  # of the others
        everything = [file for split in data.splits for file in data.files(split)]
        assert sorted(map(int, everything)) == list(range(12))


def test_rows_of_a_table_and_names(folder):
    data = of_table(folder, valid=[1, 11], exclude=["a/0.png"])
    assert data.files("valid") == ["a/1.png", "b/5.png"]
    assert len(data.files("train")) == 9
    named = of_table(
        folder, valid=["b/5.png", "a/1.png", "a/0.png"], exclude=["a/0.png"]
    )
    assert [named.files(split) for split in named.splits] == [
        data.files(split) for split in data.splits
    ]


def test_names_in_a_folder(folder):
    data = of_folder(folder / "flat", valid=["b/3.png", "a/2.png"])
    assert data.files("valid") == ["a/2.png", "b/3.png"]
    assert data.counts().to_numpy().tolist() == [[5, 5], [1, 1]]


def test_all_photos_train(folder, arrays):
    flat = of_folder(folder / "flat", valid=None)
    assert flat.splits == ["train"] and len(flat.files("train")) == 12
    # Those of a folder of validation photos too.
    data = of_folder(folder, train="train", valid=None, test="test")
    assert data.counts().to_numpy().tolist() == [[6, 6], [1, 1]]
    assert data.with_image_size(10).splits == ["train", "test"]
    assert of_table(folder, valid=None, test=0.25).splits == ["train", "test"]
    data = ImageData.from_arrays(*arrays, valid=None, seed=1)
    assert data.valid is None
    folds = list(data.folds(3))
    assert [len(fold.files("valid")) for fold in folds] == [4, 4, 4]


def test_a_label_among_several_must_be_left_to_train_on(arrays):
    tags = np.ones((12, 2), int)
    tags[3:, 1] = 0
    data = ImageData.from_arrays(arrays[0], tags, valid=[0, 4], seed=1)
    assert data.files("valid") == ["0", "4"]
    with pytest.raises(ValueError, match="to train on. Received: all 3 of '1'"):
        ImageData.from_arrays(arrays[0], tags, valid=range(3), seed=1)


@pytest.mark.parametrize(
    "how",
    [
        {"valid": None},
        {"valid": [1, 7]},
        {"valid": ["shots_2024/a/1.png", "shots_2024/b/3.png"]},
        {"valid_fraction": 0.25},
    ],
)
def test_a_training_folder_that_is_named(how, tmp_path, write_photos):
    write_photos(tmp_path, {"shots_2023": 2, "shots_2024": 4}, ("a", "b"))
    data = of_folder(tmp_path, train="shots_2024", **how)
    assert data.class_names == ["a", "b"]
    files = [file for split in data.splits for file in data.files(split)]
    assert len(files) == 8
    assert all(file.startswith("shots_2024/") for file in files)
    if "valid" in data.splits:
        assert sorted(data.labels("valid")) == [0, 1]
    with pytest.raises(ValueError, match="must hold the folder 'shots'"):
        of_folder(tmp_path, train="shots", **how)


@pytest.mark.parametrize(
    ("valid", "message"),
    [
        ([], "`valid` must be a list of positions or names of photos, each once. Rec"),
        ([1, 1], r"each once. Received: valid=\[1, 1\]"),
        ([True, False], "positions or names of photos"),
        ([0.5], "positions or names of photos"),
        ([0, 12], "of the 12 photos there are. Received: 12"),
        ([-1], "of the 12 photos there are. Received: -1"),
        (["12"], "of the 12 photos there are. Received: '12'"),
        (range(12), "must leave photos to train on .* Received: 12 of 12"),
        (1.5, "`valid` must be above 0 and below 1"),
        ((1, 2), r"a pair of images .* positions are a list. Received: valid=\(1, 2\)"),
        ((1, 2, 3), "must be a pair of images and labels where it is a tuple"),
        (range(0, 12, 2), "photos of each class to train on. Received: all 6 of '0'"),
    ],
)
def test_bad_positions(arrays, valid, message):
    with pytest.raises(ValueError, match=message):
        ImageData.from_arrays(*arrays, valid=valid, seed=1)


def test_what_is_said_twice_or_not_known(folder):
    with pytest.raises(ValueError, match="`valid` must be one of 'drawn'"):
        of_table(folder, valid="all")
    with pytest.raises(ValueError, match="`valid_fraction` must be None where `valid`"):
        of_folder(folder / "flat", valid=None, valid_fraction=0.2)
    with pytest.raises(ValueError, match="`valid_fraction` must be None where `valid`"):
        of_table(folder, valid=[1, 11], valid_fraction=0.5)
    # A share has an argument of its own, but for arrays.
    for build, place in ((of_folder, folder / "flat"), (of_table, folder)):
        with pytest.raises(ValueError, match=r"must be a list of .*valid=0\.3"):
            build(place, valid=0.3)
    with pytest.raises(ValueError, match="or photos in `valid`. .* beside 'valid'"):
        of_folder(folder, valid=["train/a/0.png"])


def test_what_then_cannot_be_done_says_so(arrays, tmp_path):
    data = ImageData.from_arrays(*arrays, valid=None, augment="side_on", seed=1)
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D(name="pool")(pixels)
    outputs = keras.layers.Dense(1, activation="sigmoid", name="last")(x)
    learn = kerasdl.Learner(keras.Model(pixels, outputs), data)
    none_held_out = "Received: split='valid': all photos train, none is held out"
    for look in (learn.predict, learn.tta, lambda: learn.report(tmp_path / "a.html")):
        with pytest.raises(ValueError, match=none_held_out):
            look()
    with pytest.raises(ValueError, match=none_held_out):
        TTAEvaluation(data, seed=1)
    best = callbacks.BestWeights(tmp_path / "a.weights.h5")
    stop = keras.callbacks.EarlyStopping()
    saved = keras.callbacks.ModelCheckpoint
    before = learn.model.get_weights()
    for one, monitor in (
        (best, "BestWeights.*'val_accuracy'"),
        (stop, "EarlyStopping"),
        (saved(tmp_path / "a.keras", save_best_only=True), "ModelCheckpoint"),
        (saved(str(tmp_path / "{val_loss:.2f}.keras")), "ModelCheckpoint"),
    ):
        with pytest.raises(ValueError, match=f"nothing is held out .* {monitor}"):
            learn.fit(0.1, callbacks=[one])
    for one, two in zip(learn.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)
    # One that reads no monitor has nothing to wait for.
    learn.fit(0.1, callbacks=[saved(tmp_path / "every.keras")])
    assert (tmp_path / "every.keras").exists()
    # What an Evaluation logs may be waited for, and a loss of training.
    learn.fit(
        0.1, callbacks=[callbacks.Evaluation(lambda _: {"val_accuracy": 1}), best]
    )
    assert best.epoch == 1
    upper, activations = precompute(learn.model, data, "last", tmp_path)
    assert activations.valid is None
    train.compile_like(learn.model, upper)
    stop = keras.callbacks.EarlyStopping("loss")
    history = train.fit_cycles(upper, activations, 0.1, callbacks=[stop])
    assert "val_loss" not in history
