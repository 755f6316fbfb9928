"""Boxes over HTTP."""

import base64
import io

import keras
import numpy as np
import pytest
from PIL import Image

from kerasdl.detection import Detector, as_pixels
from kerasdl.serving import create_box_app

PATH = "/v1/models/toy:predict"


def one_box_model():
    """Finds a box, surer the brighter the picture is, and a weak one.

    Its mask is three of ten columns.
    """
    pixels = keras.Input((40, 40, 3))
    bright = keras.ops.mean(pixels, axis=(1, 2, 3), keepdims=True)[..., 0] / 255
    scores = keras.ops.concatenate([bright[..., 0], bright[..., 0] * 0.1], axis=1)
    boxes = np.array([[[10, 0, 30, 20], [0, 0, 5, 5]]], "f")
    masks = np.zeros((1, 2, 10, 10), "f")
    masks[..., 2:5] = 1
    zero = keras.ops.zeros_like(bright)
    return keras.Model(
        pixels,
        {
            "boxes": zero + boxes,
            "scores": scores,
            "labels": keras.ops.cast(zero[..., 0], "int32") + np.array([[1, 0]]),
            "count": keras.ops.cast(zero[:, 0, 0], "int32") + 2,
            "masks": zero[..., None] + masks,
        },
    )


def picture(size=(80, 40), value=200):
    file = io.BytesIO()
    Image.new("RGB", size, (value,) * 3).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def toy(run_app):
    detector = Detector(one_box_model(), ["cat", "dog"], "squash", threshold=0.5)
    with run_app(create_box_app(detector, "toy", max_images=2)) as client:
        yield client


def test_boxes_are_in_pixels_of_the_photo(toy, upload_form):
    answer = toy.ask("POST", "/detect", *upload_form(picture(), picture(value=0)))
    first, second = answer.content["images"]
    assert (first["height"], first["width"]) == (40, 80)
    (found,) = first["boxes"]
    assert found["label"] == "dog"
    assert found["score"] == pytest.approx(200 / 255, abs=1e-3)
    np.testing.assert_allclose(found["box"], [20, 0, 60, 20], atol=1e-3)
    mask = as_pixels(found["mask"], (40, 80))
    np.testing.assert_array_equal(np.argwhere(mask).min(0), [0, 16])
    np.testing.assert_array_equal(np.argwhere(mask).max(0), [39, 39])
    assert second["boxes"] == []


def test_a_threshold_of_ones_own(toy, upload_form):
    form = upload_form(picture())
    answer = toy.ask("POST", "/detect?threshold=0.05", *form)
    (image,) = answer.content["images"]
    assert [box["label"] for box in image["boxes"]] == ["dog", "cat"]
    for text in ("2", "-1", "nan", "high"):
        refused = toy.ask("POST", f"/detect?threshold={text}", *form)
        assert refused.status == 400 and "from 0 to 1" in refused.content["error"]


def test_it_answers_as_tensorflow_serving(toy):
    sent = base64.b64encode(picture()).decode()
    body = {"signature_name": "serve_bytes", "instances": [{"b64": sent}]}
    (row,) = toy.predict(body, PATH).content["predictions"]
    assert row["labels"] == [1, 0] and row["count"] == 2
    np.testing.assert_allclose(row["boxes"][0], [20, 0, 60, 20], atol=1e-3)
    assert as_pixels(row["masks"][0], (40, 80)).sum() == 40 * 24
    pixels = np.full((40, 40, 3), 255).tolist()
    found = toy.predict({"inputs": [pixels]}, PATH).content["outputs"]
    np.testing.assert_allclose(found["boxes"][0][0], [10, 0, 30, 20], atol=1e-3)


def test_a_photo_of_one_pixel_is_answered(toy, upload_form):
    answer = toy.ask("POST", "/detect", *upload_form(picture((1, 1))))
    (image,) = answer.content["images"]
    assert (image["height"], image["width"]) == (1, 1)
    assert np.max([box["box"] for box in image["boxes"]]) <= 1


def test_what_is_no_photo_is_refused(toy, upload_form):
    damaged = picture()[:-40]
    for sent, code, text in (
        ([b"no photo"], 400, "image[0]: not an image"),
        ([picture(), damaged], 400, "image[1]: "),
        ([picture((8000, 7000))], 413, "image[0]: above the limit"),
    ):
        answer = toy.ask("POST", "/detect", *upload_form(*sent))
        assert answer.status == code and answer.content["error"].startswith(text)
    assert toy.ask("POST", "/detect", *upload_form(*[picture()] * 3)).status == 400
    assert toy.predict({}, "/v1/models/other:predict").status == 404
    assert toy.predict({}, PATH).status == 400


def test_the_page_and_the_counts_are_there(toy):
    assert b"Choose photos" in toy.get("/").content
    assert toy.get("/model").content["task"] == "detection"
    assert toy.get("/healthz").content == {"status": "ok"}
    assert b"serving_requests" in toy.get("/metrics").content
    assert toy.get("/v1/models/toy").content["model_version_status"]


def test_the_page_draws_boxes(toy, browser, tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(picture())
    browser.open(toy.server.url)
    browser.wait("document.title == 'toy'")
    browser.choose("#files", [file])
    browser.wait("state.textContent == '1 of 1 answered.'")
    drawn = browser.run(
        """[...document.querySelectorAll('svg')].map(svg => ({
            shape: svg.getAttribute('viewBox'),
            boxes: [...svg.querySelectorAll('rect')].map(
                box => ['x', 'y', 'width', 'height'].map(
                    name => Number(box.getAttribute(name)))),
            text: svg.querySelector('text').textContent,
            covered: svg.querySelector('path').getAttribute('d'),
        }))"""
    )
    (svg,) = drawn
    assert svg["shape"] == "0 0 80 40" and svg["text"] == "dog 0.78"
    np.testing.assert_allclose(svg["boxes"], [[20, 0, 40, 20]], atol=1e-3)
    # The mask of it: 24 columns of forty pixels.
    strips = [f"M{x} 0h1v40h-1z" for x in range(16, 40)]
    assert svg["covered"] == "".join(strips)
    assert browser.run("document.querySelector('#photos p').textContent") == "dog"


def test_a_limit_outside_its_range_is_refused():
    detector = Detector(one_box_model(), ["cat", "dog"])
    with pytest.raises(ValueError, match="`max_images` must be"):
        create_box_app(detector, "toy", max_images=0)
