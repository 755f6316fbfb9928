"""Files of models with several inputs and outputs, and of texts: no picture here."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasdl.artefacts import (
    FILES,
    QUANTIZE,
    Input,
    Signature,
    operator_errors,
    save_inference_model,
    write_onnx,
    write_saved_model,
    write_tflite,
)
from kerasdl.artefacts.formats import run_format

TOLERANCES = {
    "keras": 1e-5,
    "saved_model": 1e-5,
    "tflite": 1e-5,
    "tflite_fp16": 1e-2,
    "tflite_int8": 0.1,
    "onnx": 1e-5,
}


def write(name, model, path, signature, samples):
    if name == "keras":
        save_inference_model(model, path)
    elif name == "onnx":
        write_onnx(model, path, signature, {"made_by": "a test"})
    elif name == "saved_model":
        write_saved_model(model, path, signature, {"kinds.txt": "a\nb\nc"})
    else:
        quantize = QUANTIZE[name]
        calibration = samples if quantize == "int8" else None
        write_tflite(model, path, signature, quantize, calibration)


@pytest.mark.parametrize("name", TOLERANCES)
def test_every_format_takes_and_gives_arrays_by_name(name, houses, streets, tmp_path):
    model, signature, by_hand = houses
    path = tmp_path / FILES[name]
    write(name, model, path, signature, streets)
    found = run_format(name, path, signature)(streets)
    expected = by_hand(streets)
    assert found.keys() == expected.keys() == {"price", "doubt"}
    for key, wanted in expected.items():
        np.testing.assert_allclose(found[key], wanted, atol=TOLERANCES[name])


def test_what_goes_along_lies_in_the_file(houses, streets, tmp_path):
    import onnx

    model, signature, _ = houses
    write("onnx", model, tmp_path / "a.onnx", signature, streets)
    (entry,) = onnx.load(tmp_path / "a.onnx").metadata_props
    assert (entry.key, entry.value) == ("made_by", "a test")
    write("saved_model", model, tmp_path / "served", signature, streets)
    assert (tmp_path / "served/assets/kinds.txt").read_text() == "a\nb\nc"
    path = tmp_path / "a.tflite"
    write_tflite(model, path, signature, finish=lambda content: content + b"end")
    assert path.read_bytes().endswith(b"end")


def test_texts_go_into_a_saved_model_and_its_words_live(tmp_path):
    """A table of words is no variable, and goes with what it was loaded from."""
    letters = layers.TextVectorization(split="character", output_sequence_length=4)
    letters.adapt(["ab", "b"])
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, letters(texts))
    signature = Signature({"texts": Input((), "string")}, ("letters",))
    given = {"texts": np.array(["abba", "bz"], object)}
    # 0 is nothing, 1 is unknown, then letters by how often they came.
    expected = [[3, 2, 2, 3], [2, 1, 0, 0]]
    write_saved_model(model, tmp_path / "served", signature)
    save_inference_model(model, tmp_path / "model.keras")
    for name in ("saved_model", "keras"):
        path = tmp_path / ("served" if name == "saved_model" else "model.keras")
        run = run_format(name, path, signature)
        assert run(given)["letters"].tolist() == expected


def test_an_entry_of_its_own_stands_beside_serve(houses, streets, tmp_path):
    model, signature, by_hand = houses

    def in_feet(serve):
        specs = [tf.TensorSpec((None, 2), name="feet"), tf.TensorSpec((None,), "int32")]

        @tf.function(input_signature=specs)
        def entry(feet, kind):
            return serve(feet * 0.0929, kind)

        return entry

    write_saved_model(model, tmp_path / "a", signature, entries={"in_feet": in_feet})
    entry = tf.saved_model.load(str(tmp_path / "a")).signatures["in_feet"]
    found = entry(feet=streets["sizes"] / 0.0929, kind=streets["kind"])
    for key, wanted in by_hand(streets).items():
        np.testing.assert_allclose(found[key], wanted, atol=1e-5)


def test_errors_of_operators_are_measured_on_all_inputs(houses, streets):
    model, signature, _ = houses
    table = operator_errors(model, signature, streets)
    assert {"FULLY_CONNECTED", "SOFTMAX"} <= set(table["operator"])
    assert table["steps"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({"sizes": Input((2,), "float32")}, ("doubt", "price")),
        (
            {"sizes": Input((3,), "float32"), "kind": Input((), "int32")},
            ("doubt", "price"),
        ),
        (
            {"sizes": Input((2,), "float32"), "kind": Input((), "int32")},
            ("price",),
        ),
    ],
)
def test_a_signature_of_another_model(inputs, outputs, houses, tmp_path):
    model, wrong = houses[0], Signature(inputs, outputs)
    for write_file, name in (
        (write_tflite, "a.tflite"),
        (write_onnx, "a.onnx"),
        (write_saved_model, "a"),
    ):
        with pytest.raises(ValueError, match="`signature` must name each input and"):
            write_file(model, tmp_path / name, wrong)
    assert not list(tmp_path.iterdir())


def test_wrong_arguments(houses, streets, tmp_path):
    model, signature, _ = houses
    with pytest.raises(ValueError, match="`calibration` must have two samples or more"):
        one = {name: values[:1] for name, values in streets.items()}
        write_tflite(model, tmp_path / "a.tflite", signature, "int8", one)
    with pytest.raises(ValueError, match="`calibration` must have two samples or more"):
        write_tflite(model, tmp_path / "a.tflite", signature, "int8")
    subclassed = type("Own", (keras.Model,), {})()
    with pytest.raises(ValueError, match="`model` must be functional, or a Sequential"):
        write_onnx(subclassed, tmp_path / "a.onnx", signature)
