import cv2
import keras
import numpy as np
import pytest

from kerasdl import ImageData
from kerasdl.classification import SplitEvaluation, TaughtPhotos, predict_split


@pytest.fixture
def data(rng):
    """22 photos in batches of 8: smooth, so that sizes can be compared."""
    coarse = rng.integers(0, 256, (40, 4, 4, 3), "uint8")
    images = np.stack([cv2.resize(p, (40, 40)) for p in coarse])
    labels = np.arange(40) % 2
    return ImageData.from_arrays(
        *(images[:22], labels[:22], (images[22:], labels[22:])),
        image_size=40,
        batch_size=8,
        augment="chapter",
        seed=3,
    )


class Teacher:
    """The mean of each photo as its answer; counts the photos."""

    def __init__(self, outputs=1, size=40):
        pixels = keras.Input((size, size, 3))
        x = keras.layers.GlobalAveragePooling2D()(pixels) / 255
        self.model = keras.Model(pixels, x[:, :1] if outputs == 1 else x)
        self.asked = 0
        predict = self.model.predict_on_batch

        def counting(batch):
            self.asked += len(batch)
            return predict(batch)

        self.model.predict_on_batch = counting


def epochs(photos, count):
    return [list(photos.train.as_numpy_iterator()) for _ in range(count)]


def test_both_see_the_same_view_each_at_its_size(data, tmp_path):
    """The teacher's answer, a mean of all pixels, is that of the student's photo."""
    teacher = Teacher()
    photos = TaughtPhotos(data, 24, teacher.model, 2, tmp_path, seed=1)
    seen = 0
    for epoch in epochs(photos, 2):
        for (images, answers), labels in epoch:
            assert images.shape[1:] == (24, 24, 3)
            assert labels.dtype == "int32"
            means = images[..., 0].mean(axis=(1, 2)) / 255
            np.testing.assert_allclose(answers[:, 1], means, atol=0.02)
            np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
            assert np.ptp(means) > 0.1 or len(means) < 8  # no two are alike
            seen += len(labels)
    assert seen == 2 * 22
    assert teacher.asked == 2 * 22


def test_later_views_are_new_and_have_the_mean_answer_of_their_photo(data, tmp_path):
    photos = TaughtPhotos(data, 24, Teacher().model, 2, tmp_path, seed=1)
    said, seen = {}, set()
    for number in range(4):
        for index, ((images, answers), _) in enumerate(epochs(photos, 1)[0]):
            seen |= {image.tobytes() for image in images}
            names = photos.batch_files(index)
            for name, answer in zip(names, answers, strict=True):
                before = said.setdefault(name, [])
                if number < 2:
                    before.append(answer)
                else:
                    assert len(before) == 2
                    np.testing.assert_allclose(answer, np.mean(before, 0), rtol=1e-5)
    assert len(seen) == 4 * 22


def test_answers_are_kept(data, tmp_path):
    first, second = Teacher(), Teacher()
    whole = epochs(TaughtPhotos(data, 24, first.model, 3, tmp_path, seed=1), 3)
    (tmp_path / "answers-2.npz").unlink()
    again = TaughtPhotos(data, 24, second.model, 3, tmp_path, seed=1)
    assert (first.asked, second.asked) == (3 * 22, 22)
    again.start_epoch(2)
    resumed = epochs(again, 1)[0]
    for ((x, a), y), ((images, answers), labels) in zip(whole[2], resumed, strict=True):
        np.testing.assert_array_equal(x, images)
        np.testing.assert_array_equal(a, answers)
        np.testing.assert_array_equal(y, labels)


def test_without_a_teacher_every_epoch_is_new(data):
    photos = TaughtPhotos(data, 24, seed=1)
    found = epochs(photos, 3)
    images = [{x[0].tobytes() for x, _ in epoch} for epoch in found]
    assert not images[0] & images[1] | images[0] & images[2]
    assert sum(len(y) for _, y in found[0]) == 22


def test_files_of_a_batch_are_named(data, tmp_path):
    plain = data.with_augment(None)
    photos = TaughtPhotos(plain, 40, Teacher().model, 1, tmp_path, seed=1)
    for number in range(2):
        for index, ((images, _), _) in enumerate(photos.train.as_numpy_iterator()):
            rows = [int(name) for name in photos.batch_files(index)]
            assert photos.stream.next_epoch == number + 1
            expected = [plain.pictures("train")[row] for row in rows]
            np.testing.assert_array_equal(images, expected)


def test_wrong_arguments(data, tmp_path):
    teacher = Teacher().model
    with pytest.raises(ValueError, match="`views` must be an integer of at least 1"):
        TaughtPhotos(data, 24, teacher, 0, tmp_path, seed=1)
    with pytest.raises(ValueError, match="`folder` must be given with `teacher`"):
        TaughtPhotos(data, 24, teacher, seed=1)
    with pytest.raises(ValueError, match="`class_names` must be as many as the model"):
        TaughtPhotos(data, 24, Teacher(3).model, 1, tmp_path, seed=1)
    mixed = data.with_mix(keras.layers.MixUp())
    with pytest.raises(ValueError, match="photos that are not mixed"):
        TaughtPhotos(mixed, 24, teacher, 1, tmp_path, seed=1)
    several = ImageData.from_arrays(
        *(np.zeros((9, 8, 8, 3), "uint8"), 1 - np.eye(9, 3)), seed=0
    )
    with pytest.raises(ValueError, match="one label a photo"):
        TaughtPhotos(several, 8, seed=1)


def test_evaluation_of_a_part_of_a_model(data):
    """Keras's `fit` trains another model with the same weights and two inputs."""
    part = keras.Sequential(
        [
            keras.Input((40, 40, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    pixels, other = keras.Input((40, 40, 3)), keras.Input((1,))
    whole = keras.Model([pixels, other], part(pixels))
    whole.compile("sgd", "mse")
    inputs = (np.stack(data.pictures("train")), np.zeros(22))
    callback = SplitEvaluation(part, data)
    history = whole.fit(
        inputs, np.ones(22), epochs=2, verbose=0, callbacks=[callback]
    ).history
    found = predict_split(part, data, "valid", verbose=0)
    assert history["val_accuracy"][-1] == found.accuracy
    assert history["val_loss"][-1] == found.log_loss
    assert history["val_loss"][0] != found.log_loss
    with pytest.raises(ValueError, match="`split` must be one of"):
        SplitEvaluation(part, data, "test")
    with pytest.raises(ValueError, match="`class_names` must be as many"):
        SplitEvaluation(Teacher(3).model, data)
