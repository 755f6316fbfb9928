import json
import sys

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers

from kerasdl.export import save_onnx


def test_runs_in_onnx_runtime(tmp_path, colours):
    """Augmentation layers too, with which Keras's own export makes a broken file."""
    path = tmp_path / "model.onnx"
    save_onnx(colours.model(), path, colours.NAMES)
    session = onnxruntime.InferenceSession(path)
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type) == ("pixels", "tensor(uint8)")
    assert taken.shape[1:] == [colours.SIZE, colours.SIZE, 3]
    assert given.name == "probabilities"
    for count in (1, 5):  # any number of pictures
        pixels = np.random.default_rng(count).integers(
            0, 256, (count, colours.SIZE, colours.SIZE, 3)
        )
        pixels = pixels.astype("uint8")
        expected = colours.model().predict_on_batch(pixels.astype("float32"))
        (found,) = session.run(None, {"pixels": pixels})
        np.testing.assert_allclose(found, expected, atol=1e-5)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["class_names"]) == colours.NAMES
    kinds = {node.op_type for node in onnx.load(path).graph.node}
    assert not kinds & {"RandomUniform", "Dropout", "BatchNormalization"}


def test_the_converter_is_silent(tmp_path, capfd, colours):
    save_onnx(colours.model(), tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")


def test_a_file_that_onnx_runtime_refuses_is_not_written(
    tmp_path, monkeypatch, colours
):
    class Session:
        def __init__(self, *args, **kwargs):
            raise RuntimeError("no such operator\nand more")

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    with pytest.raises(ValueError, match="ONNX Runtime can run. Received: no such"):
        save_onnx(colours.model(), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_wrong_arguments(tmp_path, monkeypatch, colours):
    with pytest.raises(ValueError, match="`path` must end in .onnx"):
        save_onnx(colours.model(), tmp_path / "model.pb")
    free = keras.Sequential([keras.Input((None, None, 3)), layers.ReLU()])
    with pytest.raises(ValueError, match="`model` must have one input"):
        save_onnx(free, tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'kerasdl\[export\]'"):
        save_onnx(colours.model(), tmp_path / "model.onnx")
