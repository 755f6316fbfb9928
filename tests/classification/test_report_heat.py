"""Where the answer is seen in the photos of a report, laid over them."""

import base64
import io
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasdl.classification import ClassificationReport, report_page, save_report


def channels():
    """A network whose feature maps are the channels, a class each."""
    inputs = keras.Input((30, 20, 3))
    x = keras.layers.Dense(3, kernel_initializer="identity")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Softmax()(x))


def spots(row):
    """A dark photo with a bright place of each class, of its own colour."""
    pixels = np.full((30, 20, 3), 3, "uint8")
    for channel in range(3):
        start = 6 * channel + 1
        pixels[row % 20 : row % 20 + 10, start : start + 5, channel] = 255
    return pixels


def large(row):
    return spots(row).repeat(2, axis=0)


def report_of(probabilities, labels, images=spots):
    names = ["cat", "dog", "fox"]
    return ClassificationReport.from_predictions(
        probabilities, labels, names, images=images
    )


def by_chance(rng, images=spots):
    """Answers that have nothing to do with the model's."""
    return report_of(rng.dirichlet(np.ones(3), 60), np.arange(60) % 3, images)


@pytest.fixture
def explained(tmp_path, rng):
    report = by_chance(rng)
    save_report(report, tmp_path / "report.html", model=channels(), seed=1)
    return report, tmp_path / "report.html"


def heats_on(path):
    """Of each photo its file, how clear the heat over it is, and the legend."""
    figures = path.read_text("utf-8").split('<figure class="picture">')[1:]
    for figure in figures:
        file = re.search('alt="photo ([^"]*)"', figure)[1]
        heat = re.search(
            'class="heat" [^>]*alt="Grad-CAM of the photo ([^"]*)" '
            'src="[^"]*,([^"]*)".*class="heat">([^<]*)<',
            figure,
        )
        if heat:
            assert heat[1] == file
            image = Image.open(io.BytesIO(base64.b64decode(heat[2])))
            yield file, np.asarray(image.convert("RGBA"))[..., 3], heat[3]
        else:
            yield file, None, ""


def check_heat(report, row, column, alpha, legend):
    """Whether a class's own place is clear in a photo, and no other."""
    bright = spots(row)[..., column] == 255
    assert alpha[bright].min() == 127 and alpha[~bright].max() < 5
    name = report.class_names[column]
    assert legend == f"Colours: where {name} is seen (Grad-CAM)"


def test_a_large_photo_has_the_places_of_its_answer_over_it(explained):
    """Of the report's answer, though the model answers all these photos alike."""
    report, path = explained
    answers = report.probabilities.argmax(axis=1)
    assert set(answers) == {0, 1, 2}
    found = list(heats_on(path))
    assert len(found) > 30
    for file, alpha, legend in found:
        check_heat(report, int(file), answers[int(file)], alpha, legend)


def test_of_several_answers_the_most_probable_has_its_places(tmp_path, rng):
    report = report_of(rng.random((60, 3)), rng.integers(0, 2, (60, 3)))
    assert report.answers.sum(axis=1).max() > 1
    save_report(report, tmp_path / "report.html", model=channels(), seed=1)
    without = set()
    for file, alpha, legend in heats_on(tmp_path / "report.html"):
        row = int(file)
        if report.answers[row].any():
            check_heat(report, row, report.probabilities[row].argmax(), alpha, legend)
        else:
            without.add(file)
            assert alpha is None
    assert without


def test_a_click_shows_them(explained, browser):
    path = explained[1]
    browser.open(path.as_uri())
    look = "getComputedStyle(document.querySelector('.heat')).display"
    assert browser.run(look) == "none"
    browser.run("document.querySelector('.picture input').click()")
    assert browser.run(look) == "block"
    boxes = browser.run(
        """[...document.querySelectorAll(".picture:has(:checked) img")].map(
            image => Object.values(image.getBoundingClientRect().toJSON()))"""
    )
    assert len(boxes) == 2 and boxes[0] == boxes[1]
    assert browser.complaints() == []


@pytest.mark.parametrize("images", [spots, large], ids=["no maps", "another size"])
def test_what_cannot_be_told_is_not_laid_over_a_photo(tmp_path, rng, images):
    flat = keras.Sequential([keras.Input((30, 20, 3)), keras.layers.Flatten()])
    model = flat if images is spots else channels()
    report = by_chance(rng, images)
    save_report(report, tmp_path / "report.html", model=model, seed=1)
    assert 'class="heat"' not in (tmp_path / "report.html").read_text("utf-8")


def test_memory_that_does_not_suffice_costs_the_heat_alone(tmp_path, rng, monkeypatch):
    counts = []

    def heats_of(model, pixels, layer, classes):
        counts.append(len(pixels))
        raise tf.errors.ResourceExhaustedError(None, None, "no memory for the tape")

    monkeypatch.setattr(report_page, "heats_of", heats_of)
    report = by_chance(rng)
    save_report(report, tmp_path / "report.html", model=channels(), seed=1)
    assert counts and max(counts) <= 4
    text = (tmp_path / "report.html").read_text("utf-8")
    assert 'class="picture"' in text and 'class="heat"' not in text
