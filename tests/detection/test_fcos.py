import keras
import numpy as np
import pytest

from kerasdl import artefacts, callbacks, models, train
from kerasdl.detection import (
    BoxData,
    PointLoss,
    average_precision,
    detect_split,
    fcos,
    save_onnx,
    save_tflite,
    validation_map,
    with_answers,
)
from kerasdl.detection.files import signature
from kerasdl.detection.mediapipe import as_shares


@pytest.fixture
def tiny(tiny_backbone):
    """A function that builds a small detector of two classes on strides of 4 and 8."""

    def build(size=64, **options):
        trunk = models.build_trunk(tiny_backbone, None, size, seed=0)
        return fcos(trunk, 2, (4, 8), 8, seed=0, **options)

    return build


@pytest.mark.parametrize("size", [64, (50, 70), (33, 47)])
def test_any_size_has_places_all_over_the_picture(tiny, size):
    model = tiny(size)
    height, width = model.input_shape[1:3]
    raw = model.predict_on_batch(np.zeros((1, height, width, 3), "f"))[0]
    expected = [
        [x * stride, y * stride, (x + 1) * stride, (y + 1) * stride]
        for stride in (4, 8)
        for y in range(-(-height // stride))
        for x in range(-(-width // stride))
    ]
    np.testing.assert_array_equal(raw[:, 4:8], expected)
    assert raw.shape[1] == 8 + 2


@pytest.mark.parametrize("size", [64, (33, 47)])
def test_a_second_path_brings_fine_to_coarse(tiny, size):
    """What the coarse level says depends on the finest level's own convolution."""
    plain, paths = tiny(size), tiny(size, neck="pan")
    assert paths.output_shape == plain.output_shape
    before = {}
    for name, model in (("fpn", plain), ("pan", paths)):
        picture = np.ones((1, *model.input_shape[1:]), "f") * 90
        first = model.predict_on_batch(picture)
        layer = model.get_layer("level4_conv")
        layer.set_weights([7 * weights for weights in layer.get_weights()])
        last = model.predict_on_batch(picture)
        coarse = first[0, :, 6] - first[0, :, 4] == 8
        before[name] = np.abs(first - last)[0, coarse].max()
    assert before["fpn"] == 0 < before["pan"]


def test_a_trunk_that_rounds_sides_down_has_places_too():
    """VGG pools 75 to 37 and 37 to 18, which doubled are 36."""
    trunk = models.build_trunk("vgg16", None, 75, seed=0)
    model = fcos(trunk, 2, (2, 4), 4, seed=0)
    assert model.output_shape[1:] == (37 * 37 + 18 * 18, 10)


def test_boxes_begin_about_their_places_and_scores_low(tiny):
    raw = tiny().predict_on_batch(np.zeros((1, 64, 64, 3), "f"))[0]
    sides = raw[:, 2:4] - raw[:, :2]
    strides = raw[:, 6:8] - raw[:, 4:6]
    np.testing.assert_allclose(sides, 4 * strides, rtol=0.3)
    np.testing.assert_allclose(1 / (1 + np.exp(-raw[:, 8:])), 0.01, atol=0.005)


def test_under_mixed_precision_boxes_are_float32(tiny):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = tiny()
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.output.dtype == "float32"
    assert model.get_layer("class_last").compute_dtype == "bfloat16"
    places = model.predict_on_batch(np.zeros((1, 64, 64, 3), "f"))[0, :, 4:8]
    assert places.max() == 64


def test_the_trunk_freezes_in_its_groups(tiny, monkeypatch):
    model = tiny()
    train.freeze_to(model, -1)
    names = {layer.name for layer in model.get_layer("tiny").layers if layer.weights}
    assert not model.get_layer("tiny").trainable_variables
    assert names == {"conv2", "bn2", "conv1", "bn1", "conv3"}
    assert model.get_layer("class_last").trainable_variables


def test_final_answers_are_those_of_plain_keras(tiny, tmp_path, elsewhere, rng):
    model = with_answers(tiny(), 20, 50)
    pixels = rng.uniform(0, 255, (2, 64, 64, 3)).astype("f")
    expected = model.predict_on_batch(pixels)
    assert expected["boxes"].shape == (2, 20, 4)
    assert expected["boxes"].min() >= 0 and expected["boxes"].max() <= 64
    np.savez(tmp_path / "model.npz", pixels=pixels, **expected)
    artefacts.save_inference_model(model, tmp_path / "model.keras")
    assert elsewhere("same_outputs.py", tmp_path).split() == ["model"]


def test_a_loaded_model_can_be_built_on(tiny, tmp_path, rng):
    pixels = rng.uniform(0, 255, (1, 64, 64, 3)).astype("f")
    model = with_answers(tiny(), 4, 8)
    model.save(tmp_path / "model.keras")
    keras.utils.clear_session()  # as in another process, names are counted anew
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = with_answers(loaded, 4, 8)
    for name, values in model(pixels).items():
        np.testing.assert_allclose(again([pixels])[name], values, atol=1e-5)
    assert as_shares(again).output_shape == as_shares(model).output_shape


def test_boxes_that_may_change_places_prove_no_file(tiny, tmp_path, monkeypatch):
    proofs = []

    def converted(module, convert, in_float32):
        proofs.append(convert.keywords["proof"])
        return b""

    monkeypatch.setattr("kerasdl.artefacts.tflite.convert_guarded", converted)
    save_tflite(with_answers(tiny(), 20, 50), tmp_path / "model.tflite")
    ((_, expected),) = proofs
    assert expected.keys() == {"scores"} and expected["scores"].shape == (1, 20)


def test_files_answer_as_the_model_does(tiny, here, tmp_path, rng):
    raw = tiny()
    last = raw.get_layer("class_last")
    kernel, bias = last.get_weights()
    last.set_weights([300 * kernel, bias])  # no two scores are alike
    model = with_answers(raw, 20, 50)
    pixels = rng.uniform(0, 255, (1, 64, 64, 3)).astype("f")
    expected = model.predict_on_batch(pixels)
    save_tflite(model, tmp_path / "model.tflite")
    save_onnx(model, tmp_path / "model.onnx")
    for run in (
        artefacts.run_tflite(tmp_path / "model.tflite", 1),
        artefacts.run_onnx(tmp_path / "model.onnx", 1),
    ):
        found = run({"pixels": pixels})
        assert found.keys() == set(signature(model).outputs)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=1e-3)


def trained(model, data, epochs, state=None):
    model.compile(keras.optimizers.Adam(3e-3), PointLoss())
    return train.fit_cycles(model, data, 3e-3, 1, epochs, state=state)


def test_it_learns_rectangles_and_a_cut_run_ends_the_same(
    tiny, scenes, tmp_path, eagerly
):
    data = BoxData(scenes, 64, 4, augment="scenes", mosaic=0.3, seed=0)
    whole = tiny()
    history = trained(whole, data, 4)
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]
    parts, state = tiny(), tmp_path / "state.npz"

    class Cut(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    parts.compile(keras.optimizers.Adam(3e-3), PointLoss())
    with pytest.raises(KeyboardInterrupt):
        train.fit_cycles(parts, data, 3e-3, 1, 4, callbacks=[Cut()], state=state)
    again = tiny()
    trained(again, BoxData(scenes, 64, 4, "scenes", 0.3, seed=0), 4, state)
    for one, other in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_history_has_the_map_of_the_validation_photos(tiny, scenes, eagerly):
    data = BoxData(scenes, 64, 4, seed=0)
    model = tiny()
    model.compile("adam", PointLoss())
    measure = callbacks.Evaluation(validation_map(data))
    history = train.fit_cycles(model, data, 1e-3, 1, 1, callbacks=[measure])
    answers = detect_split(model, data).boxes
    expected = average_precision(data.of_split("valid"), answers).loc["all", "map"]
    assert history["val_map"].tolist() == pytest.approx([expected])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strides": (4, 16)}, "`strides` must double"),
        ({"strides": (64,)}, "`strides` must double"),
        ({"neck": "no"}, "`neck` must be one of 'fpn', 'pan'"),
        ({"classes": 0}, "`classes` must be an integer of at least 1"),
        ({"filters": 0}, "`filters` must be an integer of at least 1"),
    ],
    ids=["gap", "unknown", "neck", "classes", "filters"],
)
def test_arguments_are_checked(tiny_backbone, options, message):
    trunk = models.build_trunk(tiny_backbone, None, 64, seed=0)
    with pytest.raises(ValueError, match=message):
        fcos(trunk, **{"classes": 2, "seed": 0} | options)


def test_answers_need_a_detector():
    with pytest.raises(ValueError, match="`model` must be a detector"):
        with_answers(keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()]))
