import keras
import numpy as np
import pytest
from keras import layers

from kerasdl.export.tflite import save_tflite


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


def test_another_suffix_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten()])
    with pytest.raises(ValueError, match="`path` must end in .tflite"):
        save_tflite(model, tmp_path / "model.lite")
