"""An int8 file takes pixels, whatever the model does with them first, or is refused."""

import os

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers, ops

from kerasdl.artefacts import _apart, _own_process, run_onnx, run_tflite
from kerasdl.artefacts.signature import as_module
from kerasdl.classification.pixel_model import pixel_signature
from kerasdl.export import quantization_errors, save_onnx, save_tflite

SIDE = 16
MEANS = np.array([100, 50, 20], "float32")
STARTS = {
    "caffe": keras.applications.vgg16.preprocess_input,
    "torch": keras.applications.densenet.preprocess_input,
    "divided": lambda x: x / MEANS,
    "flipped": lambda x: ops.flip(x, -1) - MEANS,
    "clipped": lambda x: ops.clip(x, 20, 200) / 255,
    "power": lambda x: (x / 255) ** 2.2,
    "resized": lambda x: layers.Resizing(12, 12)(x),
    "in two": lambda x: ops.concatenate([x / 255, ops.square(x / 255)], -1),
}


@pytest.fixture(scope="module")
def pixels():
    """Noise, and plain colours: the mean of noise is nearly the same everywhere."""
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (16, SIDE, SIDE, 3), "uint8")
    images[::2] = draw.integers(0, 256, (8, 1, 1, 3))
    return images


def model_with(start, softmax=None):
    inputs = keras.Input((SIDE, SIDE, 3))
    init = keras.initializers.RandomNormal(seed=1)
    x = layers.Conv2D(4, 3, kernel_initializer=init)(start(inputs))
    x = layers.GlobalAveragePooling2D()(x)
    init = keras.initializers.RandomNormal(seed=2)
    return keras.Model(inputs, layers.Dense(3, softmax, kernel_initializer=init)(x))


def ask(run, pixels):
    return run({"pixels": pixels})["probabilities"]


def recurrent_model():
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.Reshape((SIDE, SIDE * 3))(layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, layers.Dense(3, "softmax")(layers.LSTM(4)(x)))


@pytest.mark.parametrize("start", STARTS)
def test_the_input_of_an_int8_file_is_the_pixel(start, pixels, tmp_path):
    model, path = model_with(STARTS[start]), tmp_path / "model.tflite"
    save_tflite(model, path, "int8", pixels)
    (taken,) = Interpreter(str(path)).get_input_details()
    assert taken["dtype"] == np.uint8
    assert taken["quantization"] == (1.0, 0)
    expected = model.predict_on_batch(pixels.astype("float32"))
    worst = np.abs(ask(run_tflite(path, 1), pixels) - expected).max()
    assert worst < 0.03 * np.ptp(expected)


@pytest.mark.parametrize(
    ("start", "received"),
    [
        (lambda x: ops.exp(x / 12), "answers that are .* from its own on 8 samples"),
        (lambda x: 255 / (x + 1), "of which it says"),  # 0 in int8
    ],
)
def test_a_start_that_int8_cannot_hold_is_refused(start, received, pixels, tmp_path):
    path = tmp_path / "model.tflite"
    with pytest.raises(ValueError, match=f"`model` must .*{received}"):
        save_tflite(model_with(start, "softmax"), path, "int8", pixels)
    assert not path.exists()


def test_a_model_without_numbers_is_refused(pixels, tmp_path):
    model = model_with(lambda x: ops.log(x - 300))
    with pytest.raises(ValueError, match="`model` must answer with numbers"):
        save_tflite(model, tmp_path / "model.tflite", "int8", pixels)
    assert not list(tmp_path.iterdir())


def test_a_converter_that_ends_its_process_is_an_error(pixels, tmp_path):
    """An LSTM in int8 is a segmentation fault of TensorFlow's converter."""
    path = tmp_path / "model.tflite"
    with pytest.raises(ValueError, match="ends the converter.* ended by SIG.* int8"):
        save_tflite(recurrent_model(), path, "int8", pixels)
    assert not path.exists()


@pytest.mark.slow
def test_every_door_keeps_an_unknown_operation_apart(pixels, tmp_path):
    model = recurrent_model()
    with pytest.raises(ValueError, match="ends the converter.* ended by SIG.* int8"):
        quantization_errors(model, pixels)
    expected = model.predict_on_batch(pixels.astype("float32"))
    save_onnx(model, tmp_path / "model.onnx")
    found = ask(run_onnx(tmp_path / "model.onnx"), pixels)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_which_models_are_converted_apart(colours):
    def is_known(model, batch_size=None, in_float32=False):
        module = as_module(model, pixel_signature(model), batch_size)
        return _own_process.is_known(module, in_float32)

    assert is_known(colours.model(), 1)
    assert is_known(colours.model())
    assert not is_known(recurrent_model(), 1)
    assert is_known(recurrent_model(), 1, in_float32=True)
    pixels = keras.Input((SIDE, SIDE, 3))
    for values, known in ((pixels, False), (ops.cast(pixels, "int32"), True)):
        chosen = ops.where(values < 3, values, values + 1)
        assert is_known(keras.Model(pixels, ops.cast(chosen, "float32")), 1) == known


def test_what_a_process_of_its_own_returns_and_raises():
    assert _apart.apart(divmod, 7, 2) == (3, 1)
    with pytest.raises(ValueError, match="invalid literal"):
        _apart.apart(int, "seven")
    with pytest.raises(ChildProcessError, match="its own was ended by SIGABRT"):
        _apart.apart(os.abort)
