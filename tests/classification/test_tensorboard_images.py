import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from kerasdl.classification import TensorBoardImages
from kerasdl.data import Augment, ImageData

GREEN, RED = (40, 160, 70), (205, 50, 50)


@pytest.fixture
def data(rng):
    """Six dark and six bright images for training, four for validation."""
    labels = np.tile([0, 1], 6)
    images = rng.integers(0, 100, (12, 8, 8, 3)) + 150 * labels[:, None, None, None]
    images = images.astype(np.uint8)
    return ImageData.from_arrays(
        images,
        labels,
        (images[:4], labels[:4]),
        batch_size=6,
        augment=Augment(horizontal_flip=True),
        seed=1,
    )


def grids(folder):
    (path,) = (folder / "images").iterdir()
    return {
        (value.tag, event.step): tf.io.decode_png(value.tensor.string_val[2]).numpy()
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    }


def fit(data, callback, epochs):
    """With a network that calls every image dark, which half of them are."""
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(pixels)
    dense = keras.layers.Dense(1, "sigmoid", kernel_initializer="zeros")
    model = keras.Model(pixels, dense(x))
    dense.bias.assign([-1.0])
    model.compile(keras.optimizers.SGD(1e-9), "binary_crossentropy")
    model.fit(data.train, epochs=epochs, verbose=0, callbacks=[callback])


def test_grids_of_training_and_validation(data, tmp_path):
    fit(data, TensorBoardImages(tmp_path, data, num_images=4, every=2), epochs=4)
    found = grids(tmp_path)
    names = {("training", 0), ("validation", 1), ("validation", 3)}
    assert found.keys() == names
    first = data.stream.make_batch(0, 0)[0]
    np.testing.assert_array_equal(found["training", 0][:8, :8], first[0])
    np.testing.assert_array_equal(found["training", 0][12:, 12:], first[3])
    grid = found["validation", 3]
    assert grid.shape == (2 * 12 + 4, 2 * 12 + 4, 3)
    for number, label in enumerate(data.labels("valid")):
        top, left = divmod(number, 2)
        tile = grid[16 * top :, 16 * left :][:12, :12]
        np.testing.assert_array_equal(tile[2:-2, 2:-2], data.read("valid", number))
        assert tuple(tile[0, 0]) == tuple(tile[11, 5]) == (GREEN, RED)[label]


@pytest.mark.parametrize("name", ["num_images", "every"])
def test_bad_arguments(data, tmp_path, name):
    with pytest.raises(ValueError, match=f"`{name}` must be an integer of at least 1"):
        TensorBoardImages(tmp_path, data, **{name: 0})


def test_without_validation_photos_nothing_is_written(data, tmp_path):
    images = np.stack(data.pictures("train"))
    data = ImageData.from_arrays(images, data.labels("train"), valid=None, seed=1)
    with pytest.raises(ValueError, match="all photos train, none is held out"):
        fit(data, TensorBoardImages(tmp_path / "logs", data), epochs=1)
    assert not (tmp_path / "logs").exists()
