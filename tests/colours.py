"""Photos of three colours, and a model with known weights that tells them apart."""

import keras
import numpy as np
from keras import layers, ops

import kerasdl

NAMES = ["blue", "green", "red"]
SIZE = 16


def model():
    """Which channel is largest; turned into BGR inside, normalised, dropped out."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.RandomFlip(seed=1)(inputs)
    x = layers.Rescaling(1.0, offset=[-104.0, -117.0, -124.0])(ops.flip(x, -1))
    x = layers.Conv2D(3, 3, use_bias=False, name="conv")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.5, seed=1)(x)
    network = keras.Model(inputs, layers.Softmax()(x), name="colours")
    kernel = np.zeros((3, 3, 3, 3), "float32")
    kernel[1, 1] = np.eye(3) * 0.05
    network.get_layer("conv").set_weights([kernel])
    ones, zeros = np.ones(3), np.zeros(3)
    # The means of what noise around 60 and a colour of 120 more gives.
    means = (np.array([100, 100, 100]) - [104, 117, 124]) * 0.05
    network.get_layer("norm").set_weights([ones, zeros, means, ones])
    return network


def pixels(rng, place, _):
    """A photo, with a rim that resizing must keep; `place` is the channel."""
    drawn = rng.uniform(0, 120, (20, 24, 3))
    drawn[..., place] += 120
    return drawn


def read_photos(folder, seed=0):
    return kerasdl.ImageData.from_folder(
        folder, test="test", image_size=SIZE, batch_size=8, resize="squash", seed=seed
    )


def dark_pixels(rng, *_):
    return rng.integers(0, 9, (SIZE, SIZE, 3))


def bright_model():
    """The same, but for logits that are all far above 0."""
    network = model()
    ones, _, means, _ = network.get_layer("norm").get_weights()
    network.get_layer("norm").set_weights([ones, ones * 10, means, ones])
    return network


def write_run(out, photos, network=None):
    """A finished run of the model, as recipes for photos write one."""
    data = read_photos(photos)
    arguments = {"data": str(photos), "resize": "squash", "max_train": None}
    arguments |= {"on_error": "skip", "quick": False, "cache": None}
    with kerasdl.runs.run_folder(out, arguments, seed=0) as run:
        check = kerasdl.data.check_images(photos)
        kerasdl.workbench.remember_photos(run, data, check)
        kerasdl.export.save_inference_model(
            network or model(), run.path / "model.keras"
        )
    return out
