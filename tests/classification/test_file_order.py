"""Answers and labels belong to the same file, wherever it is evaluated or predicted."""

import keras
import numpy as np
import pytest
from PIL import Image

import kerasdl
from kerasdl import data as kdata
from kerasdl.classification import ClassificationReport, Predictor, predict_split, tta

SIZE = 8
BRIGHT = {"a": 20, "b": 120, "c": 220}  # of the photos of a class
COUNTS = {"a": 5, "b": 2, "c": 4}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("order")
    for split in ("train", "valid", "test"):
        for name, value in BRIGHT.items():
            (root / split / name).mkdir(parents=True)
            for number in range(COUNTS[name]):
                photo = Image.new("RGB", (SIZE, SIZE), (value + number,) * 3)
                photo.save(root / split / name / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def data(root):
    return kdata.ImageData.from_folder(
        root, test="test", image_size=SIZE, batch_size=3, seed=0
    )


@pytest.fixture(scope="module")
def model():
    """Right about every photo: the class whose brightness is nearest."""
    pixels = keras.Input((SIZE, SIZE, 3))
    mean = keras.layers.Reshape((1,))(keras.ops.mean(pixels, axis=(1, 2, 3)))
    centres = np.array([list(BRIGHT.values())], "float32")
    outputs = keras.layers.Softmax()(-(((mean - centres) / 20) ** 2))
    model = keras.Model(pixels, outputs)
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model


def labels_of(files):
    return [list(BRIGHT).index(file.split("/")[-2]) for file in files]


@pytest.mark.parametrize("split", ["valid", "test"])
def test_answers_are_those_of_the_files(data, model, split):
    expected = labels_of(data.files(split))
    assert data.labels(split).tolist() == expected == [0] * 5 + [1] * 2 + [2] * 4
    dataset = getattr(data, split)
    assert model.predict(dataset, verbose=0).argmax(axis=1).tolist() == expected
    assert model.evaluate(dataset, verbose=0)[1] == 1
    for found in (
        predict_split(model, data, split, verbose=0),
        tta(model, data, augment="flip", split=split, verbose=0),
        ClassificationReport.from_model(model, data, split),
    ):
        assert list(found.files) == data.files(split)
        assert np.asarray(found.labels).tolist() == expected
        assert found.probabilities.argmax(axis=1).tolist() == expected


def test_folders_and_flows_keep_file_order_where_asked(root, model):
    folder = root / "valid"
    dataset, names = kdata.image_folder(folder, SIZE, 3, shuffle=False, seed=0)
    flow = kdata.ImageDataGenerator().flow_from_directory(
        folder, (SIZE, SIZE), batch_size=3, shuffle=False
    )
    expected = labels_of(flow.filepaths)
    for batches in (dataset, flow):
        answers = model.predict(batches, verbose=0).argmax(axis=1)
        assert answers.tolist() == expected
    found = Predictor(model, names, SIZE).predict(folder)
    assert [names.index(label) for label in found.labels] == labels_of(found.files)
    assert labels_of(found.files) == expected


def test_a_learner_evaluates_in_file_order(data, model):
    learn = kerasdl.Learner(model, data)
    found = learn.predict("test")
    assert found.files == data.files("test")
    assert found.accuracy == 1
