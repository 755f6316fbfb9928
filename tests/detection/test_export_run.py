"""Files of a detector, proved by mAP on photos with boxes."""

import contextlib
import io
import json
import re
import sys
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tensorflow as tf
from flatbuffers.table import Table
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from kerasdl.artefacts import ExportError, run_tflite
from kerasdl.artefacts.tflite_file import operators, result_names
from kerasdl.detection import (
    Detector,
    export_run,
    faster_rcnn,
    fcos,
    files,
    save_tflite,
    with_answers,
)
from kerasdl.detection.export_report import DetectionExportReport, in_tables, judge
from kerasdl.detection.files import signature
from kerasdl.detection.geometry import moved, to_view
from kerasdl.detection.mediapipe import as_shares, shares_signature
from kerasdl.detection.prototypes import within
from kerasdl.detection.views import Geometry, View

GEOMETRY = Geometry((64, 64), "pad")


@pytest.fixture(scope="module")
def photos(draw_scenes, tmp_path_factory):
    return draw_scenes(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="module")
def run(photos, write_run, tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "run", photos)


@pytest.fixture
def unmeasured(monkeypatch):
    """Files are judged, and not asked how long they take."""
    latency = {"2 threads": {"1": {"p50_ms": 1}}, "1 thread": {"1": {"p50_ms": 1}}}

    def measure(rows, *arguments, **options):
        for row in rows.values():
            row |= {"latency": latency, "p50_ms": 1, "p95_ms": 1, "bytes": 1}

    # The name below the package is the function.
    module = sys.modules["kerasdl.artefacts.export_files"]
    monkeypatch.setattr(module, "measure", measure)


def test_every_file_is_proved_and_read_by_others(
    run, photos, asked_elsewhere, here, tmp_path
):
    out = tmp_path / "export"
    report = export_run(
        run,
        photos.of_split("valid"),
        ("saved_model", "tflite_int8", "onnx", "mediapipe"),
        photos.of_split("train"),
        max_drop=1.0,
        out=out,
        seed=0,
    )
    rows = json.loads((out / "export_report.json").read_text())
    assert rows == json.loads(json.dumps(report.rows))
    assert rows["tflite_int8"]["calibration_photos"] == 8
    assert {row["photos"] for row in rows.values()} == {4}
    for name in ("saved_model", "onnx", "mediapipe"):
        assert abs(rows[name]["map_drop"]) < 1e-3
    assert rows["saved_model"]["serve_bytes_difference"] < 0.1
    assert "CUSTOM" not in rows["tflite_int8"]["operators"]
    assert (out / "labels.txt").read_text() == "blue\nred\n"
    assert "4 photos; the Keras model's mAP is" in str(report)

    detector = Detector.load(run)
    photo = cv2.imread(str(photos.root / photos.photos.index[1]))[..., ::-1]
    pixels = cv2.resize(photo, (64, 64))[None].astype("f")
    check_int8(out / "model_int8.tflite", detector, pixels)
    check_mediapipe(out / "model_mediapipe.tflite", detector, pixels)

    # TensorFlow answers a photo of 120 x 160 in its own pixels, as the detector does.
    big = cv2.resize(photo, (160, 120))
    cv2.imwrite(str(tmp_path / "big.png"), big)
    served = tf.saved_model.load(str(out / "saved_model")).signatures
    assert set(served) == {"serve", "serving_default", "serve_bytes"}
    content = (tmp_path / "big.png").read_bytes()
    found = served["serve_bytes"](images=tf.constant([content]))
    expected = detector.predict(tmp_path / "big.png").boxes
    best = expected[["x1", "y1", "x2", "y2"]].to_numpy()[0]
    # Resizing differs, so scores may by a little, and of this network, which has hardly
    # learned, which near equals vote for a box.
    boxes = found["boxes"].numpy()[0, : int(found["count"][0])]
    assert abs(boxes - best).max(axis=1).min() < 8
    assert boxes[:, 2].max() <= 160 and boxes[:, 3].max() <= 120


@pytest.mark.parametrize("resize", ["pad", "squash", "crop"])
def test_a_graph_has_the_way_back_from_views_to_photos(resize, rng):
    boxes = rng.uniform(0, 64, (2, 5, 4)).astype("f")
    sizes = [(60, 80), (200, 90)]
    found = files._in_photos(boxes, np.array(sizes), (64, 48), resize)
    for own, own_boxes, (height, width) in zip(found, boxes, sizes, strict=True):
        matrix = np.linalg.inv(to_view((height, width), (64, 48), resize))
        expected = np.clip(moved(own_boxes, matrix), 0, [width, height] * 2)
        # `moved` turns corners upright; random ones need not be.
        low, high = own[:, :2], own[:, 2:]
        own = np.concatenate([np.minimum(low, high), np.maximum(low, high)], 1)
        np.testing.assert_allclose(own, expected, atol=1e-3)


def check_int8(path, detector, pixels):
    """Convolutions are int8, and what computes boxes and scores of them is float."""
    kinds = kinds_in(path)
    assert schema.TensorType.INT8 in kinds["CONV_2D"]
    for name in ("LOGISTIC", "SUB", "TOPK_V2", "STRIDED_SLICE", "GATHER"):
        assert schema.TensorType.FLOAT32 in kinds[name]
        assert schema.TensorType.INT8 not in kinds[name]
    found = run_tflite(path, 1)({"pixels": pixels})
    expected = detector.model.predict_on_batch(pixels)
    assert found.keys() == set(signature(detector.model).outputs)
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=0.1)


def kinds_in(path):
    """Types of what operators of each name take and return."""
    content = path.read_bytes()
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    (graph,) = model.subgraphs
    kinds = {}
    for name, operator in zip(operators(content), graph.operators, strict=True):
        used = [*operator.inputs, *operator.outputs]
        types = {graph.tensors[index].type for index in used if index >= 0}
        kinds[name] = kinds.get(name, set()) | types
    return kinds


@pytest.mark.slow  # beside int8 of one stage, which always runs
def test_of_two_stages_int8_computes_the_first(tiny_trunk, here, rng, tmp_path):
    """Convolutions up to the proposals; dense layers and samples of maps are float."""
    model = faster_rcnn(tiny_trunk(), 2, (4, 8), 8, proposals=6, units=16, seed=0)
    final = with_answers(model, 4, 6)
    pixels = rng.uniform(0, 255, (4, 64, 64, 3)).astype("f")
    path = tmp_path / "model.tflite"
    save_tflite(final, path, "int8", pixels)
    kinds = kinds_in(path)
    int8 = schema.TensorType.INT8
    assert {name for name in kinds if int8 in kinds[name]} == {
        *("QUANTIZE", "DEQUANTIZE", "CONV_2D", "DEPTHWISE_CONV_2D"),
        *("ADD", "MUL", "RESHAPE", "TILE"),
    }
    assert int8 not in kinds["FULLY_CONNECTED"] | kinds["BATCH_MATMUL"]
    found = run_tflite(path, 1)({"pixels": pixels[:1]})
    expected = final.predict_on_batch(pixels[:1])
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=0.1)


def check_mediapipe(path, detector, pixels):
    """The answers of the model, and how to read them."""
    shares = as_shares(detector.model)
    assert shares_signature(shares).outputs == ("location", "score")
    answers = detector.model.predict_on_batch(pixels)
    scores = np.eye(2)[answers["labels"][0]] * answers["scores"][0, :, None]
    expected = np.concatenate([answers["boxes"][0], scores], axis=1)
    np.testing.assert_allclose(
        in_pixels(shares.predict_on_batch(pixels)), expected, atol=1e-3
    )
    # Of places of hardly different scores another one may stand.
    found = run_tflite(path, 1)({"pixels": pixels})
    off = abs(in_pixels(found)[:, None] - expected[None]).max(axis=2)
    assert np.mean(off.min(axis=1) < 0.25) > 0.9
    assert zipfile.ZipFile(path).read("labels.txt") == b"blue\nred"
    places = len(expected)
    assert described(path) == {
        "outputs": result_names(path.read_bytes()),
        "anchors": [[0, 0, 1, 1]] * places,
        "decoding": [2, places, 4, 0, 0, 2],  # MediaPipe stops at other than the last
    }


def in_pixels(found, place=0):
    """Boxes and scores of a picture of 64 pixels, beside one another."""
    y, x, h, w = np.moveaxis(found["location"][place] * 64, -1, 0)
    sides = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
    return np.column_stack([*sides, found["score"][place]])


def test_what_mediapipe_gets_are_the_answers_of_the_model(tiny_trunk, rng):
    """Of masks too, whose scores are no places', and no rows beside them."""
    raw = fcos(tiny_trunk(), 2, (4, 8), 8, masks=True, seed=0)
    pixels = rng.uniform(0, 255, (2, 64, 64, 3)).astype("f")
    every = with_answers(raw, 20, 40).predict_on_batch(pixels)["scores"]
    final = with_answers(raw, 20, 40, min_score=float(np.median(every)))
    answers = final.predict_on_batch(pixels)
    found = as_shares(final).predict_on_batch(pixels)
    assert (answers["count"] > 0).all() and (answers["count"] < 20).any()
    for place, count in enumerate(answers["count"]):
        scores = answers["scores"][place, :count]
        classes = np.eye(2)[answers["labels"][place, :count]] * scores[:, None]
        own = np.concatenate([answers["boxes"][place, :count], classes], axis=1)
        np.testing.assert_allclose(in_pixels(found, place)[:count], own, atol=1e-3)
        assert (found["location"][place, count:, 2:] < 0).all()  # passed over


def described(path):
    """What MediaPipe reads in a file, by its two schemas."""
    content = flatbuffer_utils.read_model_from_bytearray(bytearray(path.read_bytes()))
    (entry,) = [e for e in content.metadata if e.name == b"TFLITE_METADATA"]
    data = bytes(content.buffers[entry.buffer].data)
    assert data[4:8] == b"M001"
    root = Read(data)
    (graph,) = root.tables(3)
    (custom,) = graph.tables(9)
    assert custom.text(0) == "DETECTOR_METADATA"
    inner = custom.bytes(1)
    assert inner[4:8] == b"V001"
    options = Read(inner)
    anchors = options.table(1).table(0).tables(0)
    return {
        "outputs": [output.text(0) for output in graph.tables(3)],
        "anchors": [[a.number(i, "<f4") for i in range(4)] for a in anchors],
        "decoding": [options.table(2).number(i, "<i4") for i in range(6)],
    }


class Read:
    """A table of a flatbuffer, by the numbers of its fields."""

    def __init__(self, data, place=None):
        if place is None:
            place = int(np.frombuffer(data, "<u4", 1)[0])
        self.data, self.own = data, Table(data, place)

    def number(self, field, dtype):
        place = self.own.Offset(4 + 2 * field)
        if not place:
            return 0
        return np.frombuffer(self.data, dtype, 1, place + self.own.Pos)[0].item()

    def text(self, field):
        place = self.own.Offset(4 + 2 * field) + self.own.Pos
        return self.own.String(place).decode()

    def table(self, field):
        place = self.own.Offset(4 + 2 * field) + self.own.Pos
        return Read(self.data, self.own.Indirect(place))

    def tables(self, field):
        offset = self.own.Offset(4 + 2 * field)
        begin, count = self.own.Vector(offset), self.own.VectorLen(offset)
        return [Read(self.data, self.own.Indirect(begin + 4 * i)) for i in range(count)]

    def bytes(self, field):
        offset = self.own.Offset(4 + 2 * field)
        begin, count = self.own.Vector(offset), self.own.VectorLen(offset)
        return self.data[begin : begin + count]


def test_the_readme_of_a_run_works(run, photos, tmp_path, monkeypatch):
    text = (run / "README.md").read_text()
    blocks = re.findall(r"```(\w+)\n", text)
    assert blocks == ["python", "python", "python", "kotlin", "swift", "python"]
    for name in ("model.keras", "model.tflite", "labels.txt"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    detector = Detector.load(run)
    # As wide as the model takes it, and half as high: placed, and not resized.
    photo = cv2.imread(str(photos.root / photos.photos.index[1]))
    _, content = cv2.imencode(".png", cv2.resize(photo, (64, 32)))  # to the bit
    (tmp_path / "photo.jpg").write_bytes(content)
    text = re.sub(r"if score >= [\d.]+", "if score >= 0.001", text)
    codes = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[:2]
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec("\n".join(codes), {})
    shown = detector.predict("photo.jpg").boxes
    boxes = [
        np.array(re.findall(r"-?\d+\.\d*", line.split("[")[1]), float)
        for line in printed.getvalue().splitlines()
    ]
    boxes = np.clip(boxes, 0, [64, 32, 64, 32])
    # The code shows what lies in the black borders too, which a Detector leaves out.
    boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]
    assert abs(len(boxes) - 2 * len(shown)) <= 2 and len(boxes)
    for corners in boxes[: len(shown)]:
        off = abs(shown[["x1", "y1", "x2", "y2"]].to_numpy() - corners).max(axis=1)
        assert off.min() < 1


def judged(map_drop, name="tflite", max_drop=0.01):
    row = {"photos": 9, "map": 0.5, "map_drop": map_drop, "ap50": 0.6}
    return DetectionExportReport({name: row}, 0.5, max_drop).failures


def test_what_loses_too_much_is_named():
    assert judged(0.001) == judged(0.01, "tflite_int8") == []
    assert judged(0.02, "tflite_int8") == [
        "tflite_int8 loses 0.0200 of mAP on 9 photos; 0.01 is allowed"
    ]
    (found,) = judged(-0.003)
    assert found == (
        "tflite has a mAP 0.0030 from the Keras model's on 9 photos; 0.002 is expected"
    )


def test_masks_that_lose_too_much_are_named():
    row = {"photos": 9, "map": 0.5, "map_drop": 0.0, "mask_map_drop": 0.003}
    assert DetectionExportReport({"onnx": row}, 0.5, 0.01).failures == [
        "onnx has a mask mAP 0.0030 from the Keras model's on 9 photos; 0.002 is expec"
        "ted"
    ]
    row["mask_map_drop"] = 0.02
    (failure,) = DetectionExportReport({"onnx": row}, 0.5, 0.01).failures
    assert failure.startswith("onnx loses 0.0200 of mask mAP")


def test_answers_are_judged_in_pixels_of_the_photos(photos):
    """The true boxes of a photo of 60 x 80, in its view of 64 x 64, are worth 1."""
    file = photos.photos.index[1]
    true = photos.boxes[photos.boxes["file"] == file]
    boxes = true[["x1", "y1", "x2", "y2"]].to_numpy() * 0.8 + [0, 8, 0, 8]
    right = {
        "boxes": boxes[None],
        "scores": np.array([[0.9, 0.8]]),
        "labels": photos.labels()[true.index][None],
        "count": np.array([2]),
    }
    whole = np.array(within(boxes[None].astype("f"), (16, 16)))
    masked, left = {**right, "masks": whole}, whole.copy()
    left[..., 8:] = 0
    views = [View(file, (60, 80), None)]

    def judged(found):
        tables = (
            in_tables(answers, views, GEOMETRY, photos.class_names)
            for answers in (masked, found)
        )
        return judge(*tables, views, photos)

    row = judged({**right, "count": np.array([1])})
    assert row["photos"] == 1 and row["map"] == pytest.approx(0.5, abs=0.01)
    assert row["map_drop"] == pytest.approx(0.5, abs=0.01)
    middles = boxes[:, :2] / 2 + boxes[:, 2:] / 2
    location = np.concatenate([middles, boxes[:, 2:] - boxes[:, :2]], 1)[
        :, [1, 0, 3, 2]
    ]
    raw = {
        "location": (location / 64)[None].astype("f"),
        "score": np.eye(2, dtype="f")[right["labels"][0]][None] * 0.9,
    }
    assert judged(raw)["map_drop"] == pytest.approx(0)
    assert "mask_map" not in judged(raw)
    # Boxes that have no masks are their own.
    row = judged({**masked, "masks": left})
    assert row["map_drop"] == 0 and 0.3 < row["mask_map_drop"] <= 1
    none = judged({**masked, "count": np.array([0])})
    assert none["map"] == none["mask_map"] == none["mask_ap50"] == 0


def test_photos_without_boxes_damaged_ones_and_one_pixel(
    run, photos, unmeasured, tmp_path
):
    """What is left is answered; there is nothing to lose."""
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "dot.png"), np.zeros((1, 1, 3)))
    (tmp_path / "images" / "no.png").write_bytes(b"no photo")
    names = ["images/dot.png", "images/no.png"]
    rows = photos.photos.iloc[:2].set_axis(names)
    empty = replace(photos, root=tmp_path, photos=rows, boxes=photos.boxes[:0])
    report = export_run(run, empty, ["keras"], out=tmp_path / "export", seed=0)
    row = report.rows["keras"]
    assert (row["photos"], row["map"], row["map_drop"]) == (1, 0, 0)


def test_a_run_of_one_class_with_masks_is_proved_by_both(
    photos, write_run, tiny_trunk, unmeasured, tmp_path
):
    one = replace(photos, class_names=["any"], boxes=photos.boxes.assign(label="any"))
    raw = fcos(tiny_trunk(), 1, (4, 8), 8, masks=True, seed=0)
    run = write_run(tmp_path / "run", one, raw=raw, lite=False, masks=True)
    valid = one.of_split("valid")
    report = export_run(run, valid, ["keras"], out=tmp_path / "export", seed=0)
    row = report.rows["keras"]
    assert row["map_drop"] == row["mask_map_drop"] == 0 and 0 <= row["mask_ap50"] <= 1
    assert "mask mAP" in str(report)
    found = Detector.load(run).predict(list(valid.photos.index), valid.root).boxes
    assert set(found["label"]) == {"any"} and found["mask"].notna().all()


def test_a_file_that_loses_too_much_is_not_published(
    run, photos, unmeasured, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        DetectionExportReport, "failures", property(lambda report: ["keras loses all"])
    )
    with pytest.raises(ExportError, match="keras loses all. Kept"):
        export_run(run, photos.of_split("valid"), ["keras"], out=tmp_path / "export")
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": []}, "`formats` must name at least one"),
        ({"formats": ["tflite_mixed"]}, "`formats` must be one of"),
        ({"max_drop": 2}, r"`max_drop` must be in \[0, 1\]"),
        ({"check": "green"}, "`check` must have boxes of the run's classes"),
        ({"check": "gone"}, "`check` must have photos that can be read"),
        ({"calibration": "one"}, "`calibration` must have two photos or more"),
    ],
    ids=["no formats", "unknown format", "drop", "class", "photos", "calibration"],
)
def test_arguments_are_checked(run, photos, tmp_path, options, message):
    valid = photos.of_split("valid")
    known = {
        "green": replace(valid, boxes=valid.boxes.assign(label="green")),
        "gone": replace(valid, photos=valid.photos.rename(lambda name: f"{name}.jpg")),
        "one": valid.take(valid.photos.index[:1]),
    }
    options = {name: known.get(str(value), value) for name, value in options.items()}
    options = {"check": valid, "formats": ["tflite_int8"], "seed": 0} | options
    with pytest.raises(ValueError, match=message):
        export_run(run, out=tmp_path / "export", **options)
    assert not list(tmp_path.iterdir())
