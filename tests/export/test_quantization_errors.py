import os

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers
from tensorflow.lite.tools import flatbuffer_utils

from kerasdl.artefacts import run_tflite, worst_tensors
from kerasdl.artefacts.tflite_file import with_half_weights
from kerasdl.export import quantization_errors, save_tflite

SIDE = 8


def ask(path, pixels):
    return run_tflite(path, 1)({"pixels": pixels})["probabilities"]


def uneven_model():
    """A convolution whose channels differ ten thousand times; then a wide layer."""
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(8, 1, name="uneven", use_bias=False)(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(64, activation="relu", name="wide")(x)
    outputs = layers.Dense(3, activation="softmax", name="top")(x)
    model = keras.Model(inputs, outputs, name="uneven_model")  # tensors bear its name
    rng = np.random.default_rng(0)
    factors = np.array([100, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01])
    kernel = rng.normal(size=(1, 1, 3, 8)) * factors
    model.get_layer("uneven").set_weights([kernel])
    wide = rng.normal(size=(SIDE, SIDE, 8, 64)) / factors[:, None] / 20
    wide[..., 0, :] = 0  # only the small channels count
    model.get_layer("wide").set_weights([wide.reshape(-1, 64), np.zeros(64)])
    return model


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).integers(0, 256, (40, SIDE, SIDE, 3), "uint8")


@pytest.fixture(scope="module")
def table(pixels):
    return quantization_errors(uneven_model(), pixels)


def test_errors_by_operator(table):
    assert table["steps"].is_monotonic_decreasing
    assert table["steps"].tolist() == pytest.approx(table["rmse"] / table["scale"])
    assert set(table["operator"]) >= {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX"}
    by_tensor = table.set_index("tensor")
    uneven = by_tensor[by_tensor.index.str.contains("uneven")].iloc[0]
    assert uneven["values"] == SIDE * SIDE * 8
    # 256 steps from the least to the most that the large channel gives.
    largest = uneven_model().get_layer("uneven").get_weights()[0][0, 0, :, 0]
    reach = np.maximum(largest, 0).sum() - np.minimum(largest, 0).sum()
    assert uneven["scale"] == pytest.approx(reach / 255, rel=0.15)


def test_what_stays_float_answers_better(table, pixels, tmp_path):
    """Small channels are lost beside a large one, unless they stay float."""
    model = uneven_model()
    expected = model.predict_on_batch(pixels.astype("float32"))
    errors, sizes = [], []
    uneven = table["tensor"][table["tensor"].str.contains("uneven_1|Reshape|wide")]
    for keep in ([], uneven.tolist()):
        path = tmp_path / f"{len(keep)}.tflite"
        save_tflite(model, path, "int8", pixels, keep_float=keep)
        sizes.append(os.path.getsize(path))
        errors.append(np.abs(ask(path, pixels) - expected).mean())
    assert errors[1] < errors[0] / 4
    (taken,) = Interpreter(str(path)).get_input_details()
    assert taken["dtype"] == np.uint8
    full = tmp_path / "full.tflite"
    save_tflite(model, full)
    assert sizes[0] < sizes[1] < 0.6 * full.stat().st_size  # float16 is half


def test_two_tensors_of_one_buffer_are_halved_once(tmp_path):
    init = keras.initializers.GlorotUniform(1)
    one, two = (layers.Dense(12, kernel_initializer=init) for _ in range(2))
    inputs = keras.Input((2, 2, 3))
    model = keras.Model(inputs, two(one(layers.Flatten()(inputs))))
    save_tflite(model, tmp_path / "plain.tflite")
    content = bytearray((tmp_path / "plain.tflite").read_bytes())
    file = flatbuffer_utils.read_model_from_bytearray(content)
    (graph,) = file.subgraphs
    first, second = [op.inputs[1] for op in graph.operators if len(op.inputs) == 3]
    graph.tensors[second].buffer = graph.tensors[first].buffer
    shared = bytes(flatbuffer_utils.convert_object_to_bytearray(file))
    (tmp_path / "half.tflite").write_bytes(with_half_weights(shared))
    pixels = np.random.default_rng(0).integers(0, 256, (4, 2, 2, 3), "uint8")
    plain, half = (
        ask(tmp_path / f"{name}.tflite", pixels) for name in ("plain", "half")
    )
    np.testing.assert_allclose(half, plain, rtol=0.01, atol=0.5)


def test_the_worst_are_those_that_lose_more_than_rounding(table):
    few = table.assign(steps=[0.9, 0.6, *[0.3] * (len(table) - 2)])
    assert worst_tensors(few) == table["tensor"][:2].tolist()
    none = table.assign(steps=0.3)
    assert worst_tensors(none) == table["tensor"][:1].tolist()


def test_wrong_arguments(pixels, tmp_path):
    with pytest.raises(ValueError, match="`calibration` must be pixels"):
        quantization_errors(uneven_model(), pixels[:1])
    with pytest.raises(ValueError, match="`select_tf_ops` must be False"):
        save_tflite(
            uneven_model(),
            tmp_path / "a.tflite",
            "int8",
            pixels,
            keep_float=["x"],
            select_tf_ops=True,
        )
    with pytest.raises(ValueError, match="`keep_float` must be empty without"):
        save_tflite(uneven_model(), tmp_path / "a.tflite", keep_float=["x"])


def test_names_that_are_none(pixels, tmp_path):
    with pytest.raises(ValueError, match="`keep_float` must be names .*Received: nope"):
        save_tflite(
            uneven_model(),
            tmp_path / "a.tflite",
            "int8",
            pixels,
            keep_float=["nope"],
        )


def test_something_must_become_int8(table, pixels, tmp_path):
    path, keep = tmp_path / "a.tflite", table["tensor"].tolist()
    with pytest.raises(ValueError, match="`keep_float` must leave an operator"):
        save_tflite(uneven_model(), path, "int8", pixels, keep_float=keep)
