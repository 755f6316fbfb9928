import json

import keras
import numpy as np
import pytest
from PIL import Image

from kerasdl.data import ImageData
from kerasdl.models import build_trunk
from kerasdl.train import Stages, check_stages, logistic_baseline, stages


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["scratch", "magic"], "`stages` must be one of.*magic"),
        (["fine_tuned", "frozen"], "`stages` must hold 'frozen' before 'fine_tuned'"),
        (["practice"], "`stages` must hold 'practice_head' before 'practice'"),
    ],
)
def test_stages_that_do_not_work(names, message):
    with pytest.raises(ValueError, match=message):
        check_stages(names)


def test_fine_tuning_sees_views_that_the_frozen_stage_did_not(
    tmp_path, rng, monkeypatch
):
    """A head knows by heart the views it has seen: they would teach nothing more."""
    for split in ("train", "valid"):
        for name in ("a", "b"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            pixels = rng.integers(0, 256, (32, 32, 3), "uint8")
            Image.fromarray(pixels).save(folder / "0.png")
    data = ImageData.from_folder(
        *(tmp_path / "photos",), image_size=32, augment="chapter", seed=1
    )
    begun = []

    def start_epoch(epoch, original=data.start_epoch):
        begun.append(epoch)
        original(epoch)

    monkeypatch.setattr(data, "start_epoch", start_epoch)
    trainings = Stages(data, tmp_path, "mobilenet", None, epochs=2, seed=1)
    list(trainings.run(["frozen", "fine_tuned"]))
    assert begun == [0, 2]


def test_photos_without_one_label_each_are_refused(tmp_path):
    images, labels = np.zeros((8, 4, 4), "uint8"), np.arange(8) % 2
    data = ImageData.from_arrays(images, labels, test=images, seed=1)
    with pytest.raises(ValueError, match="one label a photo.*no labels in 'test'"):
        Stages(data, tmp_path, seed=1)
    hot = np.stack([labels, np.ones(8)], axis=1)
    data = ImageData.from_arrays(images, hot, seed=1)
    with pytest.raises(ValueError, match="one label a photo.*several labels"):
        Stages(data, tmp_path, seed=1)


def test_the_epoch_of_the_lowest_validation_loss_is_kept(tmp_path, rng):
    """Noise that cannot be learned: the validation loss soon rises."""
    images = rng.integers(0, 256, (24, 32, 32, 3), "uint8")
    labels = np.arange(24) % 2
    data = ImageData.from_arrays(images, labels, 0.5, batch_size=4, seed=1)
    trainings = Stages(data, tmp_path, "mobilenet", None, 12, tmp_path, seed=1)
    (stage,) = trainings.run(["features"])
    losses = stage.history["val_loss"]
    assert losses.idxmin() < len(losses) - 1
    expected = keras.losses.binary_crossentropy(
        data.encoded_labels("valid"), stage.predictions["valid"]
    )
    assert losses.min() == pytest.approx(np.mean(expected), rel=1e-5)
    again = stage.load_model().predict(data.valid, verbose=0)
    np.testing.assert_allclose(again, stage.predictions["valid"], atol=1e-5)
    assert not list(tmp_path.glob("*best*"))


@pytest.fixture
def blobs(rng):
    """Photos of two brightnesses on noise."""
    labels = np.arange(72) % 2
    noise = rng.integers(0, 120, (72, 16, 16, 3))
    images = (noise + 60 * labels[:, None, None, None]).astype("uint8")
    return ImageData.from_arrays(
        *(images[:48], labels[:48], (images[48:60], labels[48:60])),
        (images[60:], labels[60:]),
        batch_size=8,
        seed=1,
    )


def practice(blobs, folder, backbone):
    trainings = Stages(blobs, folder, backbone, None, 2, folder, seed=1)
    return trainings, list(trainings.run(["practice_head", "practice"]))


def test_the_practice_head_is_a_classifier_of_its_own(blobs, tmp_path, tiny_backbone):
    _, (head, _) = practice(blobs, tmp_path, tiny_backbone)
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


@pytest.mark.parametrize("helps", [True, False])
def test_late_layers_stay_as_they_were_unless_they_help(
    helps, blobs, tmp_path, tiny_backbone, monkeypatch
):
    monkeypatch.setattr(stages, "clearly_lower", lambda losses, others: helps)
    _, (head, late) = practice(blobs, tmp_path, tiny_backbone)
    best = late.history["val_loss"].idxmin() + 1
    assert late.choices == {"epoch": best if helps else 0}
    same = [
        np.array_equal(*(stage.predictions[split] for stage in (head, late)))
        for split in ("valid", "test")
    ]
    assert same == [not helps] * 2
    found = late.load_model().predict(blobs.test, verbose=0)
    np.testing.assert_allclose(found, late.predictions["test"], atol=1e-5)


def test_the_baseline_sees_the_plain_pooled_features(blobs, tmp_path, tiny_backbone):
    trainings, _ = practice(blobs, tmp_path, tiny_backbone)
    trunk = build_trunk(tiny_backbone, None, (16, 16), seed=1)
    features, labels = {}, {}
    for split in ("train", "valid", "test"):
        pixels = np.stack(blobs.pictures(split)).astype("float32")
        features[split] = trunk.predict(pixels, verbose=0).mean(axis=(1, 2))
        labels[split] = blobs.labels(split)
    assert trainings.baseline() == logistic_baseline(features, labels)


def test_a_folder_of_an_older_version_is_refused(blobs, tmp_path, tiny_backbone):
    practice(blobs, tmp_path, tiny_backbone)
    path = tmp_path / "practice_head.json"
    facts = json.loads(path.read_text())
    del facts["made_with"]["format"], facts["choices"]
    path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=r"`folder` must have.*format=.*recorded: Non"):
        practice(blobs, tmp_path, tiny_backbone)
