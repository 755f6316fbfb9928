import re

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers
from PIL import Image

import kerasdl
from kerasdl.classification.predictor import Predictor
from kerasdl.data import ImageError, image_folder
from kerasdl.export import save_inference_model
from kerasdl.runs import run_folder

SIZE = (8, 12)


def redness_model():
    """One sigmoid unit, above 0.5 where there is more red than blue: made by hand."""
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 3)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.layers[-1].set_weights([np.array([[0.01], [0], [-0.01]]), np.zeros(1)])
    return model


def position_model():
    """Three classes, every pixel of every image with a weight of its own."""
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 3)),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(0)
    model.layers[-1].set_weights([rng.normal(0, 1e-3, (8 * 12 * 3, 3)), np.zeros(3)])
    return model


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "colours"
    with run_folder(out, {}, seed=1) as run:
        save_inference_model(redness_model(), run.path / "model.keras")
        run.save_labels(["blue", "red"])
        run.manifest.update(image_size=SIZE, resize="crop")
    return out


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """`a/` and `b/` of photos in several sizes."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number, size in enumerate([(30, 20), (9, 40), (8, 12), (50, 50), (12, 9)]):
        path = folder / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype="uint8")).save(path)
    return folder


def filled(path, colour, size=(20, 30)):
    Image.new("RGB", size, colour).save(path)
    return path


def test_a_run_of_another_task_or_without_labels_is_refused(tmp_path):
    for name, task in (("boxes", "detection"), ("bare", "image_classification")):
        with run_folder(tmp_path / name, {}, seed=1) as work:
            save_inference_model(redness_model(), work.path / "model.keras")
            work.manifest.update(image_size=SIZE, resize="crop", task=task)
    with pytest.raises(ValueError, match="must be one of image_classification. Rec"):
        Predictor.load(tmp_path / "boxes")
    with pytest.raises(ValueError, match="image_size and resize, and labels.txt"):
        Predictor.load(tmp_path / "bare")


def test_a_finished_run_tells_red_from_blue(run, tmp_path):
    files = [
        filled(tmp_path / "1.png", (200, 0, 0)),
        filled(tmp_path / "2.jpg", (0, 0, 100), size=(400, 300)),
        filled(tmp_path / "3.bmp", (150, 50, 50), size=(3, 5)),
    ]
    result = Predictor.load(run).predict(files)
    assert result.files == [str(file) for file in files]
    assert result.labels == ["red", "blue", "red"]
    red = 1 / (1 + np.exp([-2, 1, -1]))
    expected = np.stack([1 - red, red], axis=1)
    np.testing.assert_allclose(result.probabilities, expected, atol=5e-3)
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, atol=1e-6)


def test_whatever_a_run_is_of_is_loaded(run, tmp_path):
    assert isinstance(kerasdl.load(run), Predictor)
    with run_folder(tmp_path / "pictures", {}, seed=1) as work:
        work.manifest["task"] = "painting"
    message = (
        "must be one of image_classification, detection, .*translation. Rec.*painting"
    )
    with pytest.raises(ValueError, match=message):
        kerasdl.load(tmp_path / "pictures")


def test_takes_one_file_or_the_model_file_or_text(run, tmp_path):
    file = filled(tmp_path / "1.png", (200, 0, 0))
    result = Predictor.load(str(run / "model.keras")).predict(str(file))
    assert (result.files, result.labels) == ([str(file)], ["red"])


@pytest.mark.parametrize("resize", ["crop", "squash", "pad"])
def test_files_get_the_pixels_of_the_training_pipeline(photos, resize):
    model = position_model()
    dataset, _ = image_folder(photos, SIZE, 2, resize=resize, shuffle=False)
    expected = np.concatenate([model.predict_on_batch(batch) for batch, _ in dataset])
    files = [photos / file for file in ("a/0.png", "a/2.png", "a/4.png")]
    files += [photos / file for file in ("b/1.png", "b/3.png")]
    predictor = Predictor(model, ["x", "y", "z"], SIZE, resize)
    result = predictor.predict(files, batch_size=3)
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-6)
    best = expected.argmax(axis=1)
    assert result.labels == [["x", "y", "z"][label] for label in best]


def test_arrays_are_pictures_too(photos):
    predictor = Predictor(position_model(), ["x", "y", "z"], SIZE)
    file = photos / "a" / "0.png"
    from_file = predictor.predict(file).probabilities
    pixels = np.asarray(Image.open(file))
    one = predictor.predict(pixels)
    assert one.files == ["0"]
    np.testing.assert_allclose(one.probabilities, from_file, atol=1e-6)
    two = predictor.predict(np.stack([pixels, pixels]).astype("float64"))
    assert two.files == ["0", "1"]
    np.testing.assert_allclose(two.probabilities[1:], from_file, atol=1e-3)


def test_a_folder_is_all_images_below_it(photos, run):
    expected = ["a/0.png", "a/2.png", "a/4.png", "b/1.png", "b/3.png"]
    predictor = Predictor.load(run)
    result = predictor.predict(photos, batch_size=2)
    assert result.files == [str(photos / file) for file in expected]
    one_by_one = predictor.predict([photos / file for file in expected])
    np.testing.assert_allclose(
        result.probabilities, one_by_one.probabilities, rtol=1e-5
    )
    mixed = predictor.predict([str(photos / "b"), photos / "a" / "0.png"])
    assert mixed.files == [str(photos / f) for f in ("b/1.png", "b/3.png", "a/0.png")]


def test_answers_as_a_table(run, tmp_path):
    files = [
        filled(tmp_path / "1.png", (200, 0, 0)),
        filled(tmp_path / "2.png", (0, 0, 200)),
    ]
    result = Predictor.load(run).predict(files)
    table = result.to_frame()
    assert list(table.columns) == ["file", "label", "probability", "blue", "red"]
    assert table.file.tolist() == [str(file) for file in files]
    assert table.label.tolist() == ["red", "blue"]
    np.testing.assert_array_equal(table[["blue", "red"]], result.probabilities)
    np.testing.assert_array_equal(table.probability, table[["blue", "red"]].max(axis=1))
    result.to_csv(tmp_path / "answers.csv")
    read = pd.read_csv(tmp_path / "answers.csv")
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-6)


def test_damaged_pictures_may_be_left_out(run, tmp_path):
    good = filled(tmp_path / "good.png", (200, 0, 0))
    (tmp_path / "empty.png").write_bytes(b"")
    result = Predictor.load(run).predict(tmp_path, on_error="skip")
    assert (result.files, result.labels) == ([str(good)], ["red"])
    assert result.damaged == {str(tmp_path / "empty.png"): "empty file"}
    good.unlink()
    nothing = Predictor.load(run).predict(tmp_path, on_error="skip")
    assert nothing.files == [] and nothing.probabilities.shape == (0, 2)
    assert len(nothing.to_frame()) == 0


def test_a_folder_without_images(run, tmp_path):
    with pytest.raises(ValueError, match="`images` must hold pictures"):
        Predictor.load(run).predict(tmp_path)


def test_a_damaged_picture_is_named(run, tmp_path):
    good = filled(tmp_path / "good.png", (200, 0, 0))
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"empty\.png: empty file"):
        Predictor.load(run).predict([good, tmp_path / "empty.png"])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "`images` must hold pictures"),
        (None, "`images` must be files or folders.*NoneType in place"),
        ([np.zeros((8, 12, 3), "uint8")] * 2, "ndarray in place of a path.*`np.stack`"),
        (7, "int in place of a path"),
        (np.zeros((0, 8, 12, 3), "uint8"), "`images` must hold pictures"),
        (np.zeros((8, 12)), r"Received: an array \(8, 12\)"),
        (np.zeros((8, 12, 4)), "must be files, or an array"),
        (np.zeros((8, 12, 3), "int64"), "of int64"),
        (np.full((8, 12, 3), -1.0), r"pixels in \[0, 255\].*-1.0 to -1.0"),
        (np.full((8, 12, 3), np.nan), r"pixels in \[0, 255\]"),
        (Image.new("RGB", (12, 8)), "Image in place of a path"),
        ([Image.new("RGB", (12, 8))], "Image in place of a path"),
        ([b"photo.jpg"], "bytes in place of a path"),
    ],
)
def test_what_is_no_picture_is_refused(images, message):
    predictor = Predictor(redness_model(), ["blue", "red"], SIZE)
    with pytest.raises(ValueError, match=message):
        predictor.predict(images)


def test_bad_arguments_are_refused():
    model = redness_model()
    with pytest.raises(ValueError, match=r"`class_names` must be as many.*1 outputs"):
        Predictor(model, ["a", "b", "c"], SIZE)
    with pytest.raises(ValueError, match="`resize` must be one of 'crop'"):
        Predictor(model, ["a", "b"], SIZE, "stretch")
    with pytest.raises(ValueError, match="`image_size` must be one side or"):
        Predictor(model, ["a", "b"], 0)
    with pytest.raises(ValueError, match="`image_size` must be that of the model"):
        Predictor(model, ["a", "b"], 10**8)
    with pytest.raises(ValueError, match="one batch of pictures"):
        two = keras.Model([*model.inputs, keras.Input((3,))], model.outputs[0])
        Predictor(two, ["a", "b"], SIZE)
    for names in (["a"], ["a", "a"]):
        with pytest.raises(ValueError, match="`class_names` must be two or more, each"):
            Predictor(model, names, SIZE)
    with pytest.raises(ValueError, match="`on_error` must be one of 'raise', 'skip'"):
        Predictor(model, ["a", "b"], SIZE).predict("photo.jpg", on_error="ignore")
    with pytest.raises(ValueError, match="`batch_size` must be an integer"):
        Predictor(model, ["a", "b"], SIZE).predict("photo.jpg", batch_size=0)


def test_a_run_without_model_or_geometry_is_refused(tmp_path):
    with run_folder(tmp_path / "run", {}, seed=1) as run:
        run.save_labels(["a", "b"])
    message = re.escape("must hold model.keras, and its manifest.json image_size")
    with pytest.raises(ValueError, match=message):
        Predictor.load(tmp_path / "run")
    with pytest.raises(ValueError, match="must be an existing run folder"):
        Predictor.load(tmp_path / "other")


def test_several_labels_a_picture(tmp_path):
    model = position_model()
    pixels = np.random.default_rng(1).integers(0, 256, (6, *SIZE, 3), "uint8")
    outputs = model.predict_on_batch(pixels.astype("float32"))
    thresholds = [0.3, 0.4, 0.35]
    found = Predictor(model, list("abc"), SIZE, "crop", thresholds).predict(pixels)
    expected = []
    for row in outputs:
        falling = sorted(zip(row, "abc", thresholds, strict=True), reverse=True)
        expected.append([name for p, name, threshold in falling if p > threshold])
    assert found.labels == expected
    assert {len(names) for names in expected} > {1}
    found.to_csv(tmp_path / "answers.csv")
    table = pd.read_csv(tmp_path / "answers.csv", keep_default_na=False)
    assert table.columns.tolist() == ["file", "labels", "a", "b", "c"]
    assert table["labels"].tolist() == [";".join(names) for names in expected]


def test_thresholds_are_those_of_the_run_or_a_half(tmp_path):
    for recorded, expected in (([0.2, 0.3, 0.9], [0.2, 0.3, 0.9]), (None, 0.5)):
        out = tmp_path / f"run{recorded is None}"
        with run_folder(out, {}, seed=1) as run:
            save_inference_model(position_model(), run.path / "model.keras")
            run.save_labels(list("abc"))
            run.manifest.update(image_size=SIZE, resize="crop", multi_label=True)
            if recorded:
                run.manifest["thresholds"] = recorded
        np.testing.assert_array_equal(Predictor.load(out).thresholds, expected)


def test_thresholds_that_do_not_fit():
    with pytest.raises(ValueError, match="`thresholds` must be one, or one for each"):
        Predictor(position_model(), list("abc"), SIZE, "crop", [0.5, 0.5])


def test_answers_that_are_no_numbers(tmp_path):
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Softmax()(keras.ops.log(x - 100)))
    pixels = np.full((3, 4, 4, 3), 200, "uint8")
    pixels[1] = 50  # the logarithm of less than nothing
    predictor = Predictor(model, ["a", "b", "c"], 4)
    with pytest.raises(ValueError, match="answer with numbers.* for '1'"):
        predictor.predict(pixels)
    with pytest.raises(ValueError, match="`thresholds` must be one"):
        Predictor(model, ["a", "b", "c"], 4, thresholds=[0.5, np.nan, 0.5])


def test_a_long_list_of_names_is_cut_in_the_error():
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, keras.layers.Flatten()(inputs))
    with pytest.raises(
        ValueError, match="`class_names` must be .*1000 in all"
    ) as error:
        Predictor(model, [f"class {number}" for number in range(1000)], 4)
    assert len(str(error.value)) < 300
