import struct
import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers, ops
from tensorflow.lite.tools import flatbuffer_utils

from kerasdl.artefacts import run_tflite
from kerasdl.artefacts.tflite_file import operators
from kerasdl.classification import tta_model
from kerasdl.export import save_onnx, save_saved_model, save_tflite


@pytest.mark.parametrize(("name", "outputs"), [("three", 3), ("two", 1)])
def test_takes_uint8_and_returns_the_models_float32(exported, name, outputs):
    bare = exported.bare[name]
    assert bare["lite_takes"] == ["uint8", [1, 20, 24, 3]]
    assert bare["lite_gives"] == ["float32", [1, outputs]]
    np.testing.assert_allclose(bare["by_lite"], bare["by_keras"], atol=1e-4)
    top = [np.argmax(bare[key], axis=1).tolist() for key in ("by_lite", "by_keras")]
    assert top[0] == top[1]


def test_the_converter_is_silent(tmp_path, capfd):
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten()])
    save_tflite(model, tmp_path / "model.tflite")
    assert capfd.readouterr() == ("", "")
    assert [file.name for file in tmp_path.iterdir()] == ["model.tflite"]


@pytest.mark.parametrize("shape", [(None, None, 3), (4, 4)])
def test_an_input_without_a_fixed_size_is_refused(tmp_path, shape):
    model = keras.Sequential([keras.Input(shape), layers.Activation("relu")])
    with pytest.raises(ValueError, match="`model` must have one input"):
        save_tflite(model, tmp_path / "model.tflite")


def models_that_do_not_suit():
    inputs = keras.Input((4, 4, 3))
    gray = keras.Input((4, 4, 1))

    class Own(keras.Model):
        def call(self, x):
            return x

    return [
        (Own(), "functional, or a Sequential with an Input"),
        (keras.Sequential([layers.Flatten()]), "functional, or a Sequential with an"),
        (keras.Model(gray, layers.Flatten()(gray)), "must take RGB pictures"),
        (keras.Model(inputs, [inputs, inputs]), "must have one output"),
        (keras.Model(inputs, {"a": inputs}), "must have one output"),
    ]


@pytest.mark.parametrize("save", [save_tflite, save_onnx, save_saved_model])
def test_models_that_do_not_suit_are_refused(save, tmp_path):
    suffix = {save_tflite: ".tflite", save_onnx: ".onnx"}.get(save, "")
    for model, message in models_that_do_not_suit():
        with pytest.raises(ValueError, match=f"`model` .*{message}"):
            save(model, tmp_path / f"file{suffix}", class_names=["a", "b"])
    with pytest.raises(ValueError, match="`class_names` must be as many"):
        save(colours_model(), tmp_path / f"file{suffix}", class_names=["a"])
    assert not list(tmp_path.iterdir())


def test_another_suffix_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten()])
    with pytest.raises(ValueError, match="`path` must end in .tflite"):
        save_tflite(model, tmp_path / "model.lite")


def colours_model():
    """Three classes of RGB pixels, turned into BGR inside: which channel is largest."""
    inputs = keras.Input((8, 8, 3))
    x = layers.Rescaling(1.0, offset=[-104.0, -117.0, -124.0])(ops.flip(inputs, -1))
    x = layers.Conv2D(3, 3, use_bias=False, name="conv")(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Softmax()(x)
    model = keras.Model(inputs, outputs, name="colours")
    kernel = np.zeros((3, 3, 3, 3), "float32")
    kernel[1, 1] = np.eye(3)[::-1] * 0.02  # back into RGB
    model.get_layer("conv").set_weights([kernel])
    return model


@pytest.fixture(scope="module")
def photos():
    """Noise around a colour each, by turns red, green and blue."""
    rng = np.random.default_rng(0)
    colours = np.eye(3)[np.arange(30) % 3][:, None, None] * 120
    return (colours + rng.uniform(0, 135, (30, 8, 8, 3))).astype("uint8")


def answers(path, pixels):
    return run_tflite(path, 1)({"pixels": pixels})["probabilities"]


@pytest.mark.parametrize(
    ("quantize", "tolerance"),
    [(None, 1e-5), ("float16", 1e-3), ("dynamic", 1e-2), ("int8", 1e-2)],
)
def test_quantised_files_answer_alike(photos, tmp_path, quantize, tolerance):
    """Of int8 this fails where the converter loses the scale of a reversal."""
    model = colours_model()
    path = tmp_path / "model.tflite"
    calibration = photos if quantize == "int8" else None
    save_tflite(model, path, quantize, calibration)
    expected = model.predict_on_batch(photos.astype("float32"))
    assert expected.argmax(axis=1).tolist() == [0, 1, 2] * 10
    np.testing.assert_allclose(answers(path, photos), expected, atol=tolerance)


def test_int8_takes_pixels_as_they_are_and_returns_256ths(photos, tmp_path):
    path = tmp_path / "model.tflite"
    save_tflite(colours_model(), path, "int8", photos // 2)  # none near 255
    lite = Interpreter(str(path))
    (taken,), (given,) = lite.get_input_details(), lite.get_output_details()
    assert taken["dtype"] == given["dtype"] == np.uint8
    assert taken["quantization"] == (1.0, 0)
    assert given["quantization"] == (1 / 256, 0)


def test_a_mirrored_view_in_int8(photos, tmp_path):
    model = colours_model()
    both = tta_model(model, "flip")
    path = tmp_path / "model.tflite"
    save_tflite(both, path, "int8", photos)
    expected = both.predict_on_batch(photos.astype("float32"))
    np.testing.assert_allclose(answers(path, photos), expected, atol=1e-2)


def test_class_names_ride_along(photos, tmp_path):
    path = tmp_path / "model.tflite"
    save_tflite(colours_model(), path, class_names=["red", "green", "élan"])
    assert zipfile.ZipFile(path).read("labels.txt").decode() == "red\ngreen\nélan"
    expected = colours_model().predict_on_batch(photos.astype("float32"))
    np.testing.assert_allclose(answers(path, photos), expected, atol=1e-5)
    model = flatbuffer_utils.read_model(str(path))
    (entry,) = (m for m in model.metadata if m.name == b"TFLITE_METADATA")
    metadata = bytes(model.buffers[entry.buffer].data)
    assert metadata[4:8] == b"M001"  # the format's identifier
    # Numbers of fields in the tables of metadata_schema.fbs.
    whole = Table(metadata, 0)
    assert (whole.text(0), whole.text(7)) == ("colours", "1.0.0")
    graph = whole.first(3)
    taken, given = graph.first(2), graph.first(3)
    assert (taken.text(0), given.text(0)) == ("pixels", "probabilities")
    content = taken.inner(3)
    assert (content.byte(0), content.inner(1).byte(0)) == (2, 1)  # an image, in RGB
    labels = given.first(6)
    assert (labels.text(0), labels.byte(2)) == ("labels.txt", 2)  # of an axis


class Table:
    """A table of a FlatBuffers file, read by what its specification says of bytes."""

    def __init__(self, data, place):
        self.data, self.place = data, place + self._number("I", place, data)

    def _number(self, kind, place, data=None):
        return struct.unpack_from("<" + kind, data or self.data, place)[0]

    def _field(self, number):
        fields = self.place - self._number("i", self.place)
        offset = self._number("H", fields + 4 + 2 * number)
        assert offset
        return self.place + offset

    def byte(self, number):
        return self.data[self._field(number)]

    def inner(self, number):
        return Table(self.data, self._field(number))

    def first(self, number):
        vector = self.inner(number).place
        assert self._number("I", vector) == 1
        return Table(self.data, vector + 4)

    def text(self, number):
        start = self.inner(number).place
        length = self._number("I", start)
        return self.data[start + 4 : start + 4 + length].decode()


def test_operations_of_tensorflow_alone(photos, tmp_path, capfd):
    inputs = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(ops.erf(inputs / 256))
    model = keras.Model(inputs, layers.Softmax()(x))
    path = tmp_path / "model.tflite"
    with pytest.raises(ValueError, match="plain TFLite .*Erf.*select_tf_ops=True"):
        save_tflite(model, path)
    assert capfd.readouterr() == ("", "")
    assert not path.exists()
    save_tflite(model, path, select_tf_ops=True)
    assert "CUSTOM" in operators(path.read_bytes())
    with pytest.raises(RuntimeError, match="FlexErf"):
        answers(path, photos[:1])


@pytest.mark.parametrize(
    ("pixels", "received"),
    [
        (None, "Received: None"),
        (np.zeros((4, 8, 8, 3)), r"an array \(4, 8, 8, 3\) from 0.0 to 0.0"),
        (np.linspace(0, 1, 768).reshape(4, 8, 8, 3), "from 0.0 to 1.0"),
        (np.linspace(0, 255, 384).reshape(2, 8, 8, 3) - 1, "from -1.0 to 254.0"),
        (np.arange(192).reshape(1, 8, 8, 3), r"\(1, 8, 8, 3\)"),
        (np.arange(96).reshape(2, 4, 4, 3), r"\(2, 4, 4, 3\)"),
    ],
)
def test_wrong_calibration(pixels, received, tmp_path):
    with pytest.raises(ValueError, match=f"`calibration` must be pixels .*{received}"):
        save_tflite(colours_model(), tmp_path / "a.tflite", "int8", pixels)


def test_wrong_quantize(tmp_path):
    with pytest.raises(ValueError, match="`quantize` must be one of None, 'float16'"):
        save_tflite(colours_model(), tmp_path / "a.tflite", "int4")
