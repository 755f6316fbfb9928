import json
import sys
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from kerasdl import ImageData
from kerasdl.artefacts import latency, run_onnx, run_tflite
from kerasdl.classification import files
from kerasdl.data import PhotoBatches
from kerasdl.export import FORMATS, ExportError, ExportReport, export_run

FILES = {
    "model.keras",
    "saved_model",
    "model.tflite",
    "model_fp16.tflite",
    "model_dynamic.tflite",
    "model_int8.tflite",
    "model.onnx",
    "labels.txt",
    "export_report.json",
    "export_report.png",
}


@pytest.fixture(scope="module")
def photos(write_colours, tmp_path_factory):
    return write_colours(tmp_path_factory.mktemp("photos") / "photos")


@pytest.fixture(scope="module")
def run(colours, photos, tmp_path_factory):
    return colours.write_run(tmp_path_factory.mktemp("run") / "run", photos)


@pytest.fixture(scope="module")
def data(colours, photos):
    return colours.read_photos(photos)


@pytest.fixture(scope="module")
def decoded():
    """Number and photos of each batch that `exported` decoded, but for calibration."""
    return []


@pytest.fixture(scope="module")
def exported(run, data, decoded):
    """All formats, and the report."""
    honest = PhotoBatches.batch

    def batch(photos, epoch, index):
        arrays = honest(photos, epoch, index)
        if len(arrays) == 2:  # photos and their places
            decoded.append((index, len(arrays[0])))
        return arrays

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PhotoBatches, "batch", batch)
        patch.setattr(latency, "SECONDS", 0.0)
        return run / "export", export_run(run, calibration=data, check=data, seed=1)


def test_every_format_answers_as_the_model(exported, colours):
    folder, report = exported
    assert {path.name for path in folder.iterdir()} == FILES
    assert (folder / "labels.txt").read_text().splitlines() == colours.NAMES
    assert report.photos == 24
    assert report.accuracy == 1
    rows = json.loads((folder / "export_report.json").read_text())
    assert list(rows) == list(FORMATS)
    for name, row in rows.items():
        assert row["accuracy"] == row["agreement"] == 1
        assert (row["photos"], row["seed"]) == (24, 1)
        assert row["accuracy_drop"] == 0
        tolerance = 1e-5 if name in ("keras", "saved_model", "tflite", "onnx") else 0.02
        assert row["mean_difference"] <= row["max_difference"] <= tolerance
        times = row["latency"]["1 thread"]["1"]
        assert 0 < row["p50_ms"] == times["p50_ms"] <= times["p95_ms"] == row["p95_ms"]
        assert set(row["latency"]) == {"1 thread", "2 threads"}
        assert all(set(sizes) == {"1", "8"} for sizes in row["latency"].values())
    assert rows["keras"]["predict_ms"] > 0
    # Photos of 20x24 pixels, resized by TensorFlow there and by OpenCV here.
    assert rows["saved_model"]["serve_bytes_difference"] < 0.02
    assert rows["tflite_int8"]["calibration_photos"] == 24  # as many as there are
    assert rows["tflite_int8"]["calibration_seed"] == 1


def test_each_check_photo_is_decoded_once(exported, decoded):
    """For answers, times and image files alike: three batches of eight."""
    assert sorted(decoded) == [(0, 8), (1, 8), (2, 8)]


def test_sizes_and_operators_are_the_files(exported):
    folder, report = exported
    size = (folder / "model_int8.tflite").stat().st_size
    assert report.rows["tflite_int8"]["bytes"] == size
    parts = [path for path in (folder / "saved_model").rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in parts)
    assert report.rows["saved_model"]["bytes"] == total
    # Flip, offset, convolution with the normalisation in it, mean, softmax.
    kinds = report.rows["tflite"]["operators"]
    assert kinds["CONV_2D"] == kinds["REVERSE_V2"] == kinds["SOFTMAX"] == 1
    assert report.rows["onnx"]["operators"]["Conv"] == 1
    assert report.rows["saved_model"]["operators"]["Conv2D"] == 1
    assert report.rows["keras"]["operators"]["BatchNormalization"] == 1


def test_the_report_can_be_read_and_looked_at(exported):
    folder, report = exported
    text = str(report)
    assert all(name in text for name in FORMATS)
    assert "24 photos; the Keras model's accuracy is 1.0000" in text
    assert Image.open(folder / "export_report.png").size[0] > 400
    assert report.failures == []


def test_int8_but_for_what_loses_most(colours, data, tmp_path):
    out = tmp_path / "files"
    report = export_run(colours.model(), ["tflite_mixed"], data, data, out=out, seed=1)
    row = report.rows["tflite_mixed"]
    assert row["agreement"] == 1
    assert row["max_difference"] < 0.02
    assert {"CAST", "QUANTIZE", "DEQUANTIZE"} <= row["operators"].keys()


def test_nothing_is_overwritten_unasked(exported, run, data):
    folder, _ = exported
    before = (folder / "model.keras").read_bytes()
    with pytest.raises(ValueError, match="`out` must not exist"):
        export_run(run, ["keras"], check=data)
    assert (folder / "model.keras").read_bytes() == before


def test_a_model_without_a_run_and_mirrored_views(colours, data, tmp_path):
    """The mean of a picture and of its mirror image, by hand."""
    out = tmp_path / "files"
    model = colours.model()
    export_run(model, ["tflite"], check=data, tta="flip", out=out)
    assert {path.name for path in out.iterdir()} == {
        "model.tflite",
        "labels.txt",
        "export_report.json",
        "export_report.png",
    }
    names = zipfile.ZipFile(out / "model.tflite").read("labels.txt").decode()
    assert names.splitlines() == colours.NAMES
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (4, colours.SIZE, colours.SIZE, 3), "uint8")
    floats = pixels.astype("float32")
    mean = (
        model.predict_on_batch(floats) + model.predict_on_batch(floats[:, :, ::-1])
    ) / 2
    found = run_tflite(out / "model.tflite", 1)({"pixels": pixels})["probabilities"]
    np.testing.assert_allclose(found, mean, atol=1e-5)


def test_a_file_that_loses_too_much_is_not_published(
    colours, write_photos, data, tmp_path, monkeypatch
):
    """Calibrated on nearly black photos, int8 cuts off all that is brighter."""
    model = colours.bright_model()
    folder = write_photos(
        tmp_path / "dark", {"": 1}, colours.NAMES, colours.dark_pixels
    )
    dark = ImageData.from_folder(
        tmp_path,
        train=folder.name,
        valid=folder.name,
        image_size=colours.SIZE,
        resize="squash",
        seed=0,
    )
    out, tables = tmp_path / "files", []
    module = sys.modules["kerasdl.classification.export_run"]
    honest = module.quantization_errors

    def counted(*given):
        tables.append(honest(*given))
        return tables[-1]

    monkeypatch.setattr(module, "quantization_errors", counted)
    with pytest.raises(ExportError, match="tflite_int8 loses 0.* 0.01 is allowed") as e:
        formats = ["tflite_int8", "tflite_mixed"]
        export_run(model, formats, dark, data, out=out, seed=1)
    assert len(tables) == 1  # for the advice, and for what stays float
    assert e.value.report.rows["tflite_int8"]["accuracy"] < 0.9
    assert not out.exists()
    assert (tmp_path / "files.partial" / "export_report.json").is_file()
    table = pd.read_csv(tmp_path / "files.partial" / "quantization_errors.csv")
    assert table["steps"].is_monotonic_decreasing
    assert "CONV_2D" in str(e.value)
    assert "tflite_mixed keeps such operators in float" in str(e.value)
    report = export_run(model, ["tflite_int8"], dark, data, 1.0, out=out, seed=1)
    assert report.failures == []
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_damaged_photos_do_not_count(run, colours, write_colours, tmp_path):
    photos = write_colours(tmp_path / "photos", count=4)
    for name in ("blue", "green"):
        (photos / "test" / name / "0.png").write_bytes(b"not a picture")
    data = colours.read_photos(photos)
    with pytest.warns(UserWarning, match="0.png"):
        report = export_run(run, ["tflite"], check=data, out=tmp_path / "files")
    assert (report.photos, report.accuracy) == (10, 1)
    assert report.rows["tflite"]["agreement"] == 1


def test_one_photo_of_sixty_is_more_than_one_in_a_hundred():
    row = {"accuracy_drop": 1 / 60, "agreement": 1.0, "max_difference": 0.0}
    assert ExportReport({"keras": row | {"photos": 60}}, 1.0, 0.01).failures
    row["accuracy_drop"] = 1 - 0.99
    assert not ExportReport({"keras": row | {"photos": 100}}, 1.0, 0.01).failures


def test_probabilities_of_float32_files_are_the_models():
    row = {"photos": 100, "accuracy_drop": 0.0, "agreement": 1.0, "max_difference": 0.1}
    found = ExportReport({"onnx": row, "tflite_int8": row}, 1.0, 0.01).failures
    assert [text.split()[0] for text in found] == ["onnx"]
    assert "0.1000 from the Keras model's; 0.001 is expected" in found[0]


@pytest.fixture
def runners(monkeypatch):
    """What runs the files, which a test may replace."""
    # The package's function of the same name hides the module.
    module = sys.modules["kerasdl.artefacts.export_files"]

    def replace(make):
        monkeypatch.setattr(module, "run_format", make)

    return replace


def test_a_file_that_does_not_run_is_not_published(run, data, tmp_path, runners):
    """The error is ONNX Runtime's own: of a picture of another size."""

    def fails(name, path, signature):
        honest = run_onnx(path)
        return lambda inputs: honest({"pixels": inputs["pixels"][:, 1:]})

    runners(fails)
    with pytest.raises(ExportError, match=r"(?s)INVALID_ARG.*Kept .*partial") as e:
        export_run(run, ["onnx"], check=data, out=tmp_path / "files")
    assert e.value.report is None
    assert not (tmp_path / "files").exists()
    assert (tmp_path / "files.partial" / "model.onnx").is_file()


def test_a_file_that_answers_no_number_is_not_published(run, data, tmp_path, runners):
    def none(inputs):
        return {"probabilities": np.full((len(inputs["pixels"]), 3), np.nan)}

    runners(lambda name, path, signature: none)
    with pytest.raises(ExportError, match="tflite_fp16 answers with no number"):
        export_run(run, ["tflite_fp16"], check=data, out=tmp_path / "files")


def test_a_format_that_cannot_be_written_is_named_and_the_others_kept(
    colours, data, tmp_path
):
    """`erf` is no operator of the plain TFLite interpreter."""
    plain = colours.model()
    outputs = layers.Softmax()(keras.ops.erf(plain.output))
    model = keras.Model(plain.input, outputs)
    out = tmp_path / "files"
    with pytest.raises(ExportError, match="Erf.*Kept .*files.partial"):
        export_run(model, ["keras", "tflite"], check=data, out=out)
    assert (tmp_path / "files.partial" / "model.keras").is_file()


def test_an_export_is_replaced_only_by_one_that_is_whole(
    run, data, tmp_path, monkeypatch
):
    out = tmp_path / "files"
    export_run(run, ["tflite"], check=data, out=out)
    before = (out / "model.tflite").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["kerasdl.artefacts.export_files"], "measure", None)
        with pytest.raises(ExportError):
            export_run(run, ["onnx"], check=data, out=out, overwrite=True)
    assert (out / "model.tflite").read_bytes() == before
    export_run(run, ["onnx"], check=data, out=out, overwrite=True)
    assert {path.name for path in out.iterdir()} == {
        "model.onnx",
        "labels.txt",
        "export_report.json",
        "export_report.png",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


def test_a_saved_model_that_reads_files_otherwise_is_not_published(
    colours, data, tmp_path, monkeypatch, asked_elsewhere
):
    honest = files._bytes_entry

    def inverted(image_size, resize, serve):
        return honest(image_size, resize, lambda pixels: serve(255 - pixels))

    monkeypatch.setattr(files, "_bytes_entry", inverted)
    out = tmp_path / "files"
    with pytest.raises(ExportError, match="serve_bytes answers 8 photos otherwise"):
        export_run(colours.model(), ["saved_model"], check=data, out=out)
    assert not out.exists()


def test_pictures_of_the_models_size_do_not_hide_wrong_resizing(
    colours, data, tmp_path, monkeypatch, asked_elsewhere
):
    honest = keras.ops.image.resize

    def black(images, size, **kwargs):
        resized = honest(images, size, **kwargs)
        return resized if images.shape[:2] == size else tf.zeros_like(resized)

    monkeypatch.setattr(keras.ops.image, "resize", black)
    with pytest.raises(ExportError, match="serve_bytes answers 8 photos otherwise"):
        export_run(colours.model(), ["saved_model"], check=data, out=tmp_path / "files")


@pytest.mark.parametrize("name", ["manifest.json", "thesis.txt"])
def test_what_lies_in_the_way_is_kept(name, colours, data, tmp_path):
    """An unfinished run, which may be resumed, or what is not ours at all."""
    work = tmp_path / "files.partial"
    work.mkdir()
    (work / name).write_text("{}")
    with pytest.raises(ValueError, match=f"files.partial holds {name}"):
        export_run(colours.model(), ["keras"], check=data, out=tmp_path / "files")
    assert (work / name).is_file()
    (work / name).unlink()
    work.rmdir()
    work.write_text("")
    with pytest.raises(ValueError, match="files.partial is a file"):
        export_run(colours.model(), ["keras"], check=data, out=tmp_path / "files")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"check": None}, "`check` must be photos with labels"),
        ({"formats": []}, "`formats` must name at least one"),
        ({"formats": ["coreml"]}, "`formats` must be one of 'keras', 'saved_model'"),
        ({"max_drop": 2}, r"`max_drop` must be in \[0, 1\]. Received: max_drop=2"),
        ({"tta": "all", "formats": ["keras"]}, "`views` must be one of 'flip'"),
        ({"run": "nothing"}, "`path` must be an existing run folder"),
        ({"out": "."}, "`out` must name a folder"),
        ({"out": "files.partial"}, "`out` must be the name of the finished folder"),
    ],
)
def test_wrong_arguments(arguments, message, run, data, tmp_path):
    out = tmp_path / "files"
    with pytest.raises(ValueError, match=message):
        export_run(**{"run": run, "check": data, "out": out, **arguments})
    assert not list(tmp_path.iterdir())


def test_photos_that_do_not_suit_the_model(colours, run, data, tmp_path):
    with pytest.raises(ValueError, match="`out` must name a folder for a model"):
        export_run(colours.model(), ["keras"], check=data)
    larger = data.with_image_size(20)
    with pytest.raises(ValueError, match="`check` must have pictures as the model"):
        export_run(run, ["keras"], check=larger, out=tmp_path / "a")
    cropped = data._with(resize="crop")
    with pytest.raises(ValueError, match="`check` must be resized as .*'squash'"):
        export_run(run, ["keras"], check=cropped, out=tmp_path / "a")
    with pytest.raises(ValueError, match="`calibration` must be resized as"):
        export_run(run, ["tflite_int8"], cropped, data, out=tmp_path / "a")


def test_models_that_do_not_suit_the_photos(data, tmp_path):
    def flat(units):
        inputs = keras.Input((16, 16, 3))
        return keras.Model(inputs, layers.Dense(units)(layers.Flatten()(inputs)))

    with pytest.raises(ValueError, match="`class_names` must be as many as the model"):
        export_run(flat(2), ["keras"], check=data, out=tmp_path / "a")
    logits = flat(3)
    logits.set_weights([w * 0 + 7 for w in logits.get_weights()])
    with pytest.raises(ValueError, match="`model` must return probabilities. Received"):
        export_run(logits, ["keras"], check=data, out=tmp_path / "a")
    assert not (tmp_path / "a").exists()
