import json
import subprocess
import sys

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers, ops
from PIL import Image

from kerasdl.classification import tta, tta_model
from kerasdl.data import ImageData
from kerasdl.export import save_inference_model, save_tflite

SIDE = 16
VIEWS = {"flip": 2, "dihedral": 8, "five_crop": 5}


def small_model(classes, activation, size=(SIDE, SIDE), channels=3):
    """BGR order, a nested trunk with BatchNorm, and a head that knows the places."""
    trunk = keras.Sequential(
        [
            keras.Input((*size, channels)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
        ]
    )
    inputs = keras.Input((*size, channels))
    x = layers.Rescaling(1 / 255)(ops.flip(inputs, axis=-1))
    x = layers.Flatten()(trunk(x))
    outputs = layers.Dense(classes, activation=activation)(x)
    model = keras.Model(inputs, outputs, name="small")
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(-0.3, 0.4, w.shape) ** 2 for w in model.weights])
    model.layers[-1].kernel.assign(rng.normal(0, 0.1, model.layers[-1].kernel.shape))
    return model


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for split in ("train", "valid"):
        for label in ("a", "b"):
            (root / split / label).mkdir(parents=True)
            for number in range(2):
                pixels = rng.integers(0, 256, (20, 24, 3), dtype="uint8")
                Image.fromarray(pixels).save(root / split / label / f"{number}.png")
    return ImageData.from_folder(root, image_size=SIDE, batch_size=3, seed=0)


@pytest.fixture(scope="module")
def pixels(data):
    return np.stack([data.read("valid", row) for row in range(4)])


@pytest.mark.parametrize(
    ("classes", "activation"), [(1, "sigmoid"), (2, "softmax"), (2, "sigmoid")]
)
@pytest.mark.parametrize("views", VIEWS)
def test_gives_the_numbers_of_the_loop(data, pixels, views, classes, activation):
    model = small_model(classes, activation)
    expected = tta(model, data, augment=views, verbose=0).probabilities
    together = tta_model(model, views)
    found = together.predict(pixels.astype("float32"), batch_size=3, verbose=0)
    assert found.shape == (4, classes)
    np.testing.assert_allclose(found, expected[:, -classes:], atol=1e-5)
    plain = model.predict_on_batch(pixels.astype("float32"))
    assert np.abs(found - plain).max() > 1e-3
    assert together.name == f"small_{views}"


# What a stranger does with the files: `import kerasdl` is impossible here.
BARE = """
import json, sys

sys.modules["kerasdl"] = None
import keras
import numpy as np
import tensorflow as tf

pixels = np.load("pixels.npy")
found = {}
for views in ("flip", "dihedral", "five_crop"):
    model = keras.saving.load_model(f"{views}.keras")
    lite = tf.lite.Interpreter(f"{views}.tflite").get_signature_runner()
    by_lite = [lite(pixels=picture[None])["probabilities"][0] for picture in pixels]
    by_keras = model.predict_on_batch(pixels.astype("float32"))
    found[views] = [by_keras.tolist(), np.array(by_lite).tolist()]
print(json.dumps(found))
"""


def test_leaves_as_plain_files(pixels, tmp_path):
    model = small_model(3, "softmax")
    expected = {}
    for views in VIEWS:
        together = tta_model(model, views)
        save_inference_model(together, tmp_path / f"{views}.keras")
        save_tflite(together, tmp_path / f"{views}.tflite")
        expected[views] = together.predict_on_batch(pixels.astype("float32"))
    np.save(tmp_path / "pixels.npy", pixels)
    bare = subprocess.run(
        [sys.executable, "-c", BARE], cwd=tmp_path, stdout=subprocess.PIPE, check=True
    )
    found = json.loads(bare.stdout.splitlines()[-1])
    for views in VIEWS:
        by_keras, by_lite = found[views]
        np.testing.assert_allclose(by_keras, expected[views], atol=1e-5)
        np.testing.assert_allclose(by_lite, expected[views], atol=1e-4)
    # The weights are there once, whatever the number of views.
    sizes = [(tmp_path / f"{views}.keras").stat().st_size for views in VIEWS]
    assert max(sizes) < 1.2 * min(sizes)


@pytest.mark.parametrize("views", VIEWS)
def test_exports_to_onnx(pixels, tmp_path, views):
    together = tta_model(small_model(3, "softmax"), views)
    floats = pixels.astype("float32")
    expected = together.predict_on_batch(floats)
    together.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: floats})
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_shares_the_weights_of_the_model(pixels):
    model = small_model(2, "softmax")
    together = tta_model(model)
    before = together.predict_on_batch(pixels.astype("float32"))
    model.layers[-1].kernel.assign(-model.layers[-1].kernel)
    after = together.predict_on_batch(pixels.astype("float32"))
    assert np.abs(after - before).max() > 1e-3
    assert len(together.weights) == len(model.weights)


def test_pictures_of_one_channel_and_oblong_ones(rng):
    model = small_model(2, "softmax", (12, 20), channels=1)
    x = rng.uniform(0, 255, (3, 12, 20, 1)).astype("float32")
    both = [model.predict_on_batch(view) for view in (x, x[:, :, ::-1])]
    found = tta_model(model, "flip").predict_on_batch(x)
    np.testing.assert_allclose(found, np.mean(both, axis=0), atol=1e-5)
    assert tta_model(model, "five_crop").predict_on_batch(x).shape == (3, 2)


def test_flip_takes_pictures_of_any_size(rng):
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, activation="relu")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    together = tta_model(model, "flip")
    x = rng.uniform(0, 1, (2, 9, 14, 3)).astype("float32")
    both = [model.predict_on_batch(view) for view in (x, x[:, :, ::-1])]
    np.testing.assert_allclose(
        together.predict_on_batch(x), np.mean(both, axis=0), atol=1e-5
    )
    for views in ("dihedral", "five_crop"):
        with pytest.raises(
            ValueError, match=rf"`views` must be .*'{views}' for .*None"
        ):
            tta_model(model, views)


def test_bad_arguments_are_refused():
    model = small_model(2, "softmax", (8, 12))
    with pytest.raises(ValueError, match="`views` must be one of 'flip', 'dihedral'"):
        tta_model(model, "mirror")
    with pytest.raises(ValueError, match=r"'dihedral' for \(height, width\) = \(8, 12"):
        tta_model(model, "dihedral")


def models_of_other_kinds():
    inputs = keras.Input((SIDE, SIDE, 3))
    flat, largest = layers.Flatten()(inputs), layers.GlobalMaxPooling2D()(inputs)
    unbuilt = keras.Sequential([layers.Flatten(), layers.Dense(2)])
    return {
        "maps": keras.Model(inputs, layers.Conv2D(2, 3)(inputs)),
        "two outputs": keras.Model(inputs, [flat, largest]),
        "a dict": keras.Model(inputs, {"flat": flat}),
        "two inputs": keras.Model([inputs, keras.Input((3,))], flat),
        "not built": unbuilt,
        "subclassed": Subclassed(),
    }


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs[:, 0, 0]


@pytest.mark.parametrize("kind", models_of_other_kinds())
def test_models_of_other_kinds_are_refused(kind):
    with pytest.raises(ValueError, match="`model` must be functional, or a Sequential"):
        tta_model(models_of_other_kinds()[kind])
