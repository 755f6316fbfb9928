import keras
import numpy as np
import pytest
from PIL import Image

from kerasdl.data import ImageData
from kerasdl.train import Stages, accuracy, check_stages


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


def test_accuracy_of_one_unit_and_of_many():
    one = np.array([[0.1], [0.8], [0.6], [0.4]])
    assert accuracy(one, np.array([0, 1, 0, 0])) == 0.75
    many = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    assert accuracy(many, np.array([0, 1])) == 0.5


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
