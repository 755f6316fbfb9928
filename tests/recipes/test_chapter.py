"""The trainings of cats_dogs_finetune.py, a function each."""

import json
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

import kerasdl
from kerasdl.classification import logistic_baseline
from kerasdl.data import ImageData
from kerasdl.models import build_trunk, load_model
from kerasdl.workbench import read_predictions

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(RECIPES)
    import cats_dogs_finetune

    return cats_dogs_finetune


@pytest.fixture
def train(recipe, tiny_backbone):
    """A function that does trainings, and returns what each of them left."""

    def train(names, data, folder, epochs=2, backbone=tiny_backbone, book=False):
        setting = recipe._chapter.Setting(
            data,
            folder / "state",
            backbone=backbone,
            weights=None,
            epochs=epochs,
            cache_dir=folder,
            seed=1,
            book=book,
        )
        known = {}
        for stage in recipe.STAGES.values():
            known |= stage
        trainings = {name: known[name] for name in names}
        recipe._chapter.run_all(trainings, setting, SimpleNamespace(path=folder))
        return setting, [left_by(setting, name) for name in names]

    return train


def left_by(setting, name):
    found = setting.done[name]
    return SimpleNamespace(
        history=pd.DataFrame(found["history"]),
        choices=found["choices"],
        trained_parameters=found["row"]["parameters trained"],
        predictions=read_predictions(setting.folder, name),
        load_model=lambda: load_model(setting.folder / f"{name}.keras"),
    )


def test_a_stage_comes_after_what_it_continues(recipe):
    assert list(recipe.trainings_of("c,d")) == ["frozen", "fine_tuned"]
    for stages in ("d", "d,c"):
        with pytest.raises(ValueError, match="`stages` must hold 'c' before 'd'"):
            recipe.trainings_of(stages)


def test_fine_tuning_sees_views_that_the_frozen_stage_did_not(
    train, tmp_path, write_photos, monkeypatch
):
    """A head knows by heart the views it has seen: they would teach nothing more."""
    photos = write_photos(tmp_path, {"train": 1, "valid": 1}, "ab", (32, 32))
    data = ImageData.from_folder(photos, image_size=32, augment="chapter", seed=1)
    begun = []

    def start_epoch(epoch, original=data.start_epoch):
        begun.append(epoch)
        original(epoch)

    monkeypatch.setattr(data, "start_epoch", start_epoch)
    train(["frozen", "fine_tuned"], data, tmp_path)
    assert begun == [0, 2]


def test_photos_without_one_label_each_are_refused(train, tmp_path):
    images, labels = np.zeros((8, 4, 4), "uint8"), np.arange(8) % 2
    data = ImageData.from_arrays(images, labels, test=images, seed=1)
    with pytest.raises(ValueError, match="one label a photo.*no labels in 'test'"):
        train([], data, tmp_path)
    hot = np.stack([labels, np.ones(8)], axis=1)
    data = ImageData.from_arrays(images, hot, seed=1)
    with pytest.raises(ValueError, match="one label a photo.*several labels"):
        train([], data, tmp_path)


def test_the_epoch_of_the_lowest_validation_loss_is_kept(train, tmp_path, rng):
    """Noise that cannot be learned: the validation loss soon rises."""
    images = rng.integers(0, 256, (24, 32, 32, 3), "uint8")
    labels = np.arange(24) % 2
    data = ImageData.from_arrays(images, labels, 0.5, batch_size=4, seed=1)
    _, (stage,) = train(["features"], data, tmp_path, 12, "mobilenet")
    losses = stage.history["val_loss"]
    assert losses.idxmin() < len(losses) - 1
    expected = keras.losses.binary_crossentropy(
        data.encoded_labels("valid"), stage.predictions["valid"]
    )
    assert losses.min() == pytest.approx(np.mean(expected), rel=1e-5)
    again = stage.load_model().predict(data.valid, verbose=0)
    np.testing.assert_allclose(again, stage.predictions["valid"], atol=1e-5)


@pytest.fixture
def blobs(rng):
    """Photos of two brightnesses on noise."""
    labels = np.arange(72) % 2
    noise = rng.integers(0, 120, (72, 16, 16, 3))
    images = (noise + 60 * labels[:, None, None, None]).astype("uint8")
    return ImageData.from_arrays(
        images[:48],
        labels[:48],
        (images[48:60], labels[48:60]),
        (images[60:], labels[60:]),
        batch_size=8,
        seed=1,
    )


@pytest.fixture
def practice(train, blobs):
    """A function that does both trainings on the blobs."""

    def practice(folder):
        names = ["practice_head", "practice"]
        return train(names, blobs, folder)

    return practice


def test_the_practice_head_is_a_classifier_of_its_own(
    recipe, blobs, practice, tmp_path, tiny_backbone
):
    setting, (head, _) = practice(tmp_path)
    assert len(head.history) == 1
    assert head.history["val_accuracy"][0] == 1
    assert head.choices["l2"] in [row["l2"] for row in head.choices["tried"]]
    model = head.load_model()
    found = model.predict(blobs.test, verbose=0)
    np.testing.assert_allclose(found, head.predictions["test"], atol=1e-5)
    assert head.trained_parameters == sum(
        weight.size for weight in model.get_layer("head_predictions").get_weights()
    )
    # Half the L2 is what Keras multiplies the squared weights with.
    dense = model.get_layer("head_predictions")
    assert dense.kernel_regularizer.l2 == pytest.approx(head.choices["l2"] / 2)
    # The baseline beside it sees the plain pooled features.
    trunk = build_trunk(tiny_backbone, None, (16, 16), seed=1)
    features, labels = {}, {}
    for split in ("train", "valid", "test"):
        pixels = np.stack(blobs.pictures(split)).astype("float32")
        features[split] = trunk.predict(pixels, verbose=0).mean(axis=(1, 2))
        labels[split] = blobs.labels(split)
    assert recipe._practice.baseline(setting) == logistic_baseline(features, labels)


@pytest.mark.parametrize("helps", [True, False])
def test_late_layers_stay_as_they_were_unless_they_help(
    helps, blobs, practice, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        kerasdl.classification, "clearly_lower", lambda losses, others: helps
    )
    monkeypatch.setattr(
        kerasdl.classification, "best_temperature", lambda outputs, labels: 2.0
    )
    _, (head, late) = practice(tmp_path)
    assert late.choices == {"rate": 1e-5, "temperature": 2.0, "kept": helps}
    same = [
        np.array_equal(*(stage.predictions[split] for stage in (head, late)))
        for split in ("valid", "test")
    ]
    assert same == [not helps] * 2
    found = late.load_model().predict(blobs.test, verbose=0)
    np.testing.assert_allclose(found, late.predictions["test"], atol=1e-5)


@pytest.mark.parametrize(("photos", "rate"), [(999, 1e-5), (1000, 3e-4)])
def test_few_photos_change_the_late_layers_little(recipe, photos, rate):
    assert recipe._practice.late_rate(photos) == rate


def test_the_book_has_constant_rates_and_no_dropout_on_the_frozen_trunk(
    train, blobs, tmp_path
):
    _, found = train(["features", "frozen", "fine_tuned"], blobs, tmp_path, book=True)
    rates = [one.history["learning_rate"].tolist() for one in found]
    np.testing.assert_allclose(rates, [[2e-5] * 2, [2e-5] * 2, [1e-5] * 2], rtol=1e-5)
    dropouts = [one.load_model().get_layer("head_dropout").rate for one in found]
    assert dropouts == [0.5, 0, 0]


def test_the_settings_of_the_book(recipe, capsys):
    """Deep Learning with Python, first edition, listings 5.7 to 5.25."""
    setting = recipe._chapter.Setting
    found = {
        name: tuple(setting.schedule(SimpleNamespace(book=True, epochs=None), name))
        for name in recipe._chapter.SCHEDULES
    }
    assert found == {
        "scratch": (30, 1e-4),
        "scratch_augmented": (100, 1e-4),
        "features": (30, 2e-5),
        "frozen": (30, 2e-5),
        "fine_tuned": (100, 1e-5),
    }
    chapter = ["--stages", "chapter", "--out", "unused"]
    assert recipe.parse_args([*chapter, "--book"]).batch_size == 20
    assert recipe.parse_args([*chapter, "--book", "--batch-size", "8"]).batch_size == 8
    assert recipe.parse_args(chapter).batch_size == 32
    with pytest.raises(ValueError, match="`stages` must be chapter, or letters, with"):
        recipe.main(["--book", "--out", "unused"])


def test_a_folder_of_an_older_version_is_refused(practice, tmp_path):
    practice(tmp_path)
    path = tmp_path / "state" / "practice_head.json"
    facts = json.loads(path.read_text())
    del facts["made_with"]["format"], facts["choices"]
    path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=r"`folder` must have.*format=.*recorded: Non"):
        practice(tmp_path)
