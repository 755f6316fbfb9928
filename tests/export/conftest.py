import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers, ops
from PIL import Image

from kerasdl.export import run_readme, save_inference_model, save_tflite

HEIGHT, WIDTH = 20, 24
CLASS_NAMES = {"three": ["cats", "dogs", "élans"], "two": ["cats", "dogs"]}


def my_loss(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred))


def small_trunk():
    inputs = keras.Input((HEIGHT, WIDTH, 3))
    x = layers.Conv2D(4, 3, strides=2, use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    return keras.Model(inputs, layers.ReLU()(x), name="trunk")


def functional_model():
    """Three classes: augmentation, BGR order, a frozen trunk, dropout, softmax."""
    trunk = small_trunk()
    trunk.compile(loss=my_loss)
    inputs = keras.Input((HEIGHT, WIDTH, 3))
    x = layers.RandomFlip(seed=1)(inputs)
    x = layers.RandomRotation(0.2, seed=1)(x)
    x = layers.RandomBrightness(0.5, seed=1)(x)
    x = layers.Rescaling(1.0, offset=[-103.9, -116.8, -123.7])(ops.flip(x, axis=-1))
    x = layers.GlobalAveragePooling2D()(trunk(x))
    x = layers.Dropout(0.9, seed=1)(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    trunk.trainable = False
    return model


def mixed_model():
    """Two classes, one sigmoid unit, Sequential, in mixed precision."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = keras.Sequential(
        [
            keras.Input((HEIGHT, WIDTH, 3)),
            layers.Rescaling(1 / 255),
            small_trunk(),
            layers.Flatten(),
            layers.Dropout(0.9),
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )
    keras.config.set_dtype_policy(policy)
    return model


def with_random_weights(model):
    """`model`, its moving statistics too unlike those it starts with."""
    rng = np.random.default_rng(3)
    shapes = [weight.shape for weight in model.weights]
    model.set_weights([rng.uniform(0.1, 0.3, shape) for shape in shapes])
    head = model.layers[-1]
    head.set_weights([rng.normal(0, 0.05, weight.shape) for weight in head.weights])
    model.compile("adam", loss=my_loss)
    return model


@pytest.fixture(scope="session")
def exported(tmp_path_factory, elsewhere):
    """Two small models, their files, and what a process without kerasdl makes of it."""
    folder = tmp_path_factory.mktemp("exported")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (6, HEIGHT, WIDTH, 3), dtype="uint8")
    np.save(folder / "pixels.npy", pixels)
    models = {
        "three": with_random_weights(functional_model()),
        "two": with_random_weights(mixed_model()),
    }
    for name, model in models.items():
        run = folder / name
        run.mkdir()
        save_inference_model(model, run / "model.keras")
        save_tflite(model, run / "model.tflite")
        (run / "labels.txt").write_text("\n".join(CLASS_NAMES[name]), encoding="utf-8")
        (run / "README.md").write_text(run_readme(CLASS_NAMES[name], (HEIGHT, WIDTH)))
        Image.fromarray(pixels[0]).save(run / "photo.jpg", format="PNG")
    return SimpleNamespace(
        folder=folder,
        pixels=pixels,
        models=models,
        bare=json.loads(elsewhere("readme_code.py", folder=folder)),
    )
