import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.classification import SplitPredictions, predict_split
from kerasdl.data import ImageData, ImageError


@pytest.fixture
def folder(tmp_path, rng):
    for split in ("train", "valid"):
        for label in ("a", "b", "c"):
            (tmp_path / split / label).mkdir(parents=True)
            for number in range(3):
                pixels = rng.integers(0, 256, (9 + number, 12, 3), dtype="uint8")
                Image.fromarray(pixels).save(tmp_path / split / label / f"{number}.png")
    return tmp_path


def photos(folder, **options):
    return ImageData.from_folder(folder, image_size=8, batch_size=4, seed=1, **options)


def model(outputs=3):
    initializer = keras.initializers.GlorotUniform(seed=1)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(outputs, "softmax", kernel_initializer=initializer),
        ]
    )


def test_equals_predict_over_the_dataset(folder):
    data, network = photos(folder), model()
    result = predict_split(network, data, verbose=0)
    expected = network.predict(data.valid, verbose=0)
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-6)
    assert result.files == data.files("valid")
    assert result.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert result.accuracy == np.mean(expected.argmax(axis=1) == result.labels)


def test_a_damaged_photo_leaves_files_and_answers_in_step(folder):
    whole = predict_split(model(), photos(folder), verbose=0)
    (folder / "valid" / "b" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    with pytest.warns(UserWarning, match=r"left out .*b/1\.png"):
        result = predict_split(model(), photos(folder), verbose=0)
    assert result.files == [file for file in whole.files if file != "valid/b/1.png"]
    np.testing.assert_allclose(
        result.probabilities, np.delete(whole.probabilities, 4, axis=0), atol=1e-6
    )
    with pytest.raises(ImageError, match=r"b/1\.png"):
        predict_split(model(), photos(folder, on_error="raise"), verbose=0)


def test_progress_is_shown_unless_it_is_not_wanted(folder, capfd):
    data = photos(folder)
    capfd.readouterr()
    predict_split(model(), data, verbose=0)
    assert "".join(capfd.readouterr()) == ""
    predict_split(model(), data)
    assert "valid: 9 of 9" in capfd.readouterr().err


def test_bad_arguments_are_refused(folder):
    data = photos(folder)
    with pytest.raises(ValueError, match="`split` must be one of 'train', 'valid'"):
        predict_split(model(), data, "test")
    with pytest.raises(ValueError, match="`verbose` must be one of 0, 1"):
        predict_split(model(), data, verbose=3)
    with pytest.raises(ValueError, match=r"`class_names` must be as many.*4 outputs"):
        predict_split(model(4), data)


def test_accuracy_counts_photos_or_single_labels():
    files = ["a", "b", "c"]
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]], "float32")
    one = SplitPredictions(files, np.array([0, 1, 1]), probabilities)
    assert one.accuracy == pytest.approx(2 / 3)
    # As Keras counts: 5 of 6 answers.
    labels = np.array([[1, 0], [1, 1], [0, 1]])
    metric = keras.metrics.BinaryAccuracy()
    metric.update_state(labels, probabilities)
    many = SplitPredictions(files, labels, probabilities)
    assert (
        many.accuracy == pytest.approx(float(metric.result())) == pytest.approx(5 / 6)
    )


def test_photos_without_labels_and_in_memory(rng):
    images = rng.integers(0, 256, (12, 8, 8, 3), "uint8")
    data = ImageData.from_arrays(images, np.arange(12) % 3, test=images[:5], seed=1)
    network = model()
    result = predict_split(network, data, "test", verbose=0)
    expected = network.predict_on_batch(images[:5].astype("float32"))
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-6)
    assert result.files == ["0", "1", "2", "3", "4"]
    assert result.labels is None
    with pytest.raises(ValueError, match="`accuracy` needs photos with labels"):
        _ = result.accuracy
    valid = predict_split(network, data, verbose=0)
    np.testing.assert_array_equal(valid.labels, data.labels("valid"))
