import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from kerasdl import models
from kerasdl.artefacts.packing import with_arrays_once
from kerasdl.export import save_tflite

litert = pytest.importorskip("ai_edge_litert.interpreter")
SIDE = 32


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """MobileNetV2 at full width in int8, and the pixels it was calibrated on.

    As it is saved, and as the converter's own writer has it, each array anew.
    """
    path = tmp_path_factory.mktemp("packing") / "model.tflite"
    model = models.mobilenet_v2(input_shape=(SIDE, SIDE, 3), classes=2, seed=1)
    rng = np.random.default_rng(1)
    for layer in model.layers:  # as trained: biases that are drawn are all 0
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.beta.assign(rng.normal(0, 0.1, layer.beta.shape))
    pixels = rng.integers(0, 256, (4, SIDE, SIDE, 3))
    pixels = pixels.astype("float32")
    save_tflite(model, path, "int8", pixels)
    packed = path.read_bytes()
    loose = flatbuffer_utils.convert_object_to_bytearray(contents(packed))
    return packed, loose, pixels.astype("uint8"), model.count_params()


def contents(content):
    return flatbuffer_utils.read_model_from_bytearray(bytearray(content))


def answers(interpreter, content, pixels):
    lite = interpreter(model_content=content)
    lite.allocate_tensors()
    (taken,), (given,) = lite.get_input_details(), lite.get_output_details()
    found = []
    for picture in pixels:
        lite.set_tensor(taken["index"], picture[None])
        lite.invoke()
        found.append(lite.get_tensor(given["index"])[0])
    return np.array(found)


def plain(value):
    """What a table of the schema holds, as lists and dictionaries."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return (
        {name: plain(item) for name, item in vars(value).items()}
        if hasattr(value, "__dict__")
        else value
    )


def test_bytes_beside_those_of_float32(files):
    packed, loose, _, parameters = files
    # Of BatchNorm's four numbers for each of 17,056 channels a bias is left.
    float32 = 4 * (parameters - 3 * 17_056)
    assert len(packed) <= 0.28 * float32 < len(loose)


def test_nothing_is_lost(files):
    packed, loose, *_ = files
    assert plain(contents(packed)) == plain(contents(loose))
    assert with_arrays_once(loose) == with_arrays_once(packed)


@pytest.mark.parametrize("interpreter", [tf.lite.Interpreter, litert.Interpreter])
def test_answers_to_the_bit(files, interpreter):
    packed, loose, pixels, _ = files
    found = answers(interpreter, packed, pixels)
    np.testing.assert_array_equal(found, answers(interpreter, loose, pixels))


def test_buffers_begin_at_multiples_of_16(files):
    """As the schema's `force_align` has it."""
    packed = files[0]
    for buffer in contents(packed).buffers:
        if buffer.data is not None and len(buffer.data) > 16:
            assert packed.index(bytes(buffer.data)) % 16 == 0
