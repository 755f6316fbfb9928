import re
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import layers

from kerasdl import serving
from kerasdl.classification import Predictor

BASE = "/v1/models/animals"


def in_base64(data):
    return {"b64": b64encode(data).decode()}


@pytest.fixture
def files(photo, tmp_path):
    """Photos in several sizes and kinds, as files."""
    sizes, kinds = [(20, 30), (90, 60), (8, 12), (200, 300)], ["JPEG", "PNG"]
    paths = [tmp_path / f"{number}" for number in range(4)]
    for number, path in enumerate(paths):
        path.write_bytes(photo(number, sizes[number], kinds[number % 2]))
    return paths


def test_status_and_metadata_are_those_of_tensorflow_serving(client):
    status = {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    for path in (BASE, f"{BASE}/versions/1"):
        assert client.get(path).content == {"model_version_status": [status]}
    for path in (f"{BASE}/metadata", f"{BASE}/versions/1/metadata"):
        found = client.get(path).content
        assert found["model_spec"]["name"] == "animals"
        signatures = found["metadata"]["signature_def"]["signature_def"]
        for name, taken, dtype, shape in [
            ("serving_default", "pixels", "DT_UINT8", ["-1", "8", "12", "3"]),
            ("serve", "pixels", "DT_UINT8", ["-1", "8", "12", "3"]),
            ("serve_bytes", "images", "DT_STRING", ["-1"]),
        ]:
            tensor = signatures[name]["inputs"][taken]
            sizes = [dim["size"] for dim in tensor["tensor_shape"]["dim"]]
            assert (tensor["dtype"], sizes) == (dtype, shape)
            given = signatures[name]["outputs"]["probabilities"]["tensor_shape"]["dim"]
            assert [dim["size"] for dim in given] == ["-1", "6"]


def test_pixels_get_what_the_model_says(client, predictor, rng):
    pixels = rng.integers(0, 256, (3, 8, 12, 3), "uint8")
    expected = predictor.model.predict_on_batch(pixels.astype("float32"))
    lists = pixels.tolist()
    for body, key in [
        ({"instances": lists}, "predictions"),
        ({"instances": [{"pixels": each} for each in lists]}, "predictions"),
        ({"inputs": lists}, "outputs"),
        ({"inputs": {"pixels": lists}, "signature_name": "serve"}, "outputs"),
        ({"inputs": lists, "signature_name": "serving_default"}, "outputs"),
    ]:
        for path in (f"{BASE}:predict", f"{BASE}/versions/1:predict"):
            answer = client.predict(body, path)
            assert (answer.status, list(answer.content)) == (200, [key])
            np.testing.assert_allclose(answer.content[key], expected, atol=1e-6)


def test_files_get_what_the_predictor_says(client, predictor, files):
    expected = predictor.predict(files)
    images = [in_base64(file.read_bytes()) for file in files]
    signature = {"signature_name": "serve_bytes"}
    for body, key in [
        ({"instances": images}, "predictions"),
        ({"instances": [{"images": each} for each in images]}, "predictions"),
        ({"inputs": images}, "outputs"),
        ({"inputs": {"images": images}}, "outputs"),
    ]:
        answer = client.predict({**body, **signature})
        np.testing.assert_allclose(
            answer.content[key], expected.probabilities, atol=1e-6
        )
    found = client.classify(*(file.read_bytes() for file in files)).content["images"]
    for each, label, row in zip(
        found, expected.labels, expected.probabilities, strict=True
    ):
        assert each["labels"] == [label]
        falling = sorted(zip(row, client.model.class_names, strict=True), reverse=True)
        assert [top["label"] for top in each["top"]] == [name for _, name in falling][
            :5
        ]
        shares = [top["probability"] for top in each["top"]]
        np.testing.assert_allclose(shares, [share for share, _ in falling][:5], 1e-5)


def test_many_at_once_get_what_each_gets_alone_and_share_calls(
    run_server, predictor, photo
):
    photos = [photo(seed) for seed in range(48)]
    with run_server(predictor, max_batch=8, max_wait_ms=200) as client:
        alone = [client.classify(each).content for each in photos[:12]]
        calls = client.metric("serving_batch_size_count")
        pictures = client.metric("serving_batch_size_sum")
        assert calls == pictures == 12
        with ThreadPoolExecutor(24) as pool:
            together = list(pool.map(client.classify, photos))
        assert [each.status for each in together] == [200] * 48
        for one, other in zip(alone, together, strict=False):
            assert one["images"][0]["labels"] == other.content["images"][0]["labels"]
            shares = [
                [top["probability"] for top in each["images"][0]["top"]]
                for each in (one, other.content)
            ]
            np.testing.assert_allclose(*shares, atol=1e-6)
        calls = client.metric("serving_batch_size_count") - calls
        assert client.metric("serving_batch_size_sum") - pictures == 48
        assert 6 <= calls < 48


@pytest.mark.parametrize("is_lite", [False, True])
def test_one_unit_and_several_labels(run_server, photo, lite_model_of, is_lite):
    def serve(predictor):
        lite = lite_model_of(predictor) if is_lite else None
        return run_server(predictor, lite=lite)

    one = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
        ]
    )
    with serve(Predictor(one, ["no", "yes"], 4)) as client:
        body = {"signature_name": "serve_bytes", "instances": [in_base64(photo())]}
        assert client.predict(body).content == {"predictions": [[0.5]]}
        (found,) = client.classify(photo()).content["images"]
        assert {top["label"]: top["probability"] for top in found["top"]} == {
            "no": 0.5,
            "yes": 0.5,
        }
    three = keras.Sequential(
        [keras.Input((4, 4, 3)), layers.Flatten(), layers.Dense(3, "sigmoid")]
    )
    three.layers[-1].set_weights([np.zeros((48, 3)), np.array([0.0, 1.0, 2.0])])
    for thresholds, expected in [
        (0.9, []),
        ([0.4, 0.9, 0.4], ["c", "a"]),
    ]:
        with serve(Predictor(three, list("abc"), 4, thresholds=thresholds)) as client:
            (found,) = client.classify(photo()).content["images"]
            assert found["labels"] == expected
            assert [top["label"] for top in found["top"]] == ["c", "b", "a"]
            assert client.get("/model").content["is_multi_label"] is True


ZEROS = np.zeros((8, 12, 3), int).tolist()
FILES = {"signature_name": "serve_bytes"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body must be JSON"),
        (b"{", "the body must be JSON"),
        (b"\xff\xfe\xfa", "the body must be JSON"),
        (b"[" * 100_000, "the body must be JSON"),
        (b'{"instances": [[[NaN]]]}', "NaN is no JSON"),
        (b'{"instances": [[[-Infinity]]]}', "-Infinity is no JSON"),
        (b'{"instances": [' + b"9" * 5000 + b"]}", "the body must be JSON"),
        (b'{"instances": [[[1e999]]]}', "instances[0]: must be 8 lists of 12"),
        (b"[1, 2]", "must be a JSON object. Received: a list of 2"),
        (b'"text"', "must be a JSON object. Received: 'text'"),
        ({}, "must have instances or inputs, not both"),
        ({"instances": [ZEROS], "inputs": [ZEROS]}, "instances or inputs, not both"),
        ({"instances": []}, "instances must be a list of at least one image"),
        ({"instances": "/etc/passwd"}, "at least one image. Received: '/etc/passwd'"),
        ({"instances": 7}, "instances must be a list"),
        ({"instances": {"pixels": [ZEROS]}}, "instances must be a list"),
        ({"instances": [ZEROS[:-1]]}, "instances[0]: must be 8 lists of 12 pixels"),
        ({"instances": [ZEROS, [[0.5]]]}, "instances[1]: must be 8 lists of 12 pixels"),
        ({"instances": [{"image": ZEROS}]}, "the only input is pixels"),
        ({"instances": [{}]}, "the only input is pixels. Received: None"),
        ({"instances": [{"b64": "AAAA"}]}, '"signature_name": "serve_bytes"'),
        ({"inputs": {"pixels": [ZEROS], "x": 1}}, "the only input is pixels"),
        (
            {"inputs": ZEROS},
            "inputs must be a list of at least one image. Received: an i",
        ),
        ({"signature_name": "train", "inputs": []}, "must be one of serving_default"),
        ({"signature_name": ["serve"], "inputs": []}, "Received: a list of 1"),
        ({"signature_name": "\ud800", "inputs": []}, r"Received: '\ud800'"),
        ({**FILES, "instances": [{"b64": "A"}]}, "instances[0]: b64 must be Base64"),
        ({**FILES, "instances": [{"b64": ""}]}, "instances[0]: empty file"),
        ({**FILES, "instances": [{"b64": "AAAA"}]}, "instances[0]: not an image"),
        ({**FILES, "instances": ["/etc/passwd"]}, 'must be {"b64": "..."}'),
        ({**FILES, "inputs": {"b64": "AAAA"}}, "the only input is images"),
    ],
)
def test_what_cannot_be_predicted_is_told(client, body, message):
    answer = client.predict(body)
    assert answer.status == 400
    assert list(answer.content) == ["error"]
    assert message in answer.content["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models/plants", 404),
        ("GET", f"{BASE}/versions/2", 404),
        ("GET", f"{BASE}/versions/01", 404),
        ("GET", f"{BASE}/versions/2/metadata", 404),
        ("GET", f"{BASE}/labels/stable", 404),
        ("GET", f"{BASE}/labels/stable/metadata", 404),
        ("GET", f"{BASE}/", 404),
        ("POST", "/v1/models/plants:predict", 404),
        ("POST", f"{BASE}/versions/7:predict", 404),
        ("POST", f"{BASE}/labels/stable:predict", 404),
        ("POST", f"{BASE}:classify", 501),
        ("POST", f"{BASE}/versions/1:regress", 501),
        ("POST", f"{BASE}:explain", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/page/page.js", 404),
        ("GET", "/%2e%2e/pyproject.toml", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("GET", f"{BASE}:predict", 405),
        ("DELETE", BASE, 405),
        ("POST", "/", 405),
        ("PUT", "/classify", 405),
    ],
)
def test_other_addresses_are_not_there(client, method, path, status):
    answer = client.ask(method, path, b"{}" if method != "GET" else None)
    assert answer.status == status
    assert list(answer.content) == ["error"]


def test_uploads_that_cannot_be_classified_are_told(client, photo, upload_form):
    whole, _ = upload_form(photo())
    bare = "multipart/form-data"
    for body, headers, message in [
        (b"", {}, "multipart/form-data with files in fields named image"),
        (photo(), {"Content-Type": "image/jpeg"}, "files in fields named image"),
        (*upload_form(), "fields named image"),
        (*upload_form(photo(), field="photo"), "fields named image"),
        (whole, {"Content-Type": bare}, "boundary"),
        (whole, {"Content-Type": f"{bare}; boundary=other"}, ""),
        (b"image=/etc/passwd", {}, "fields named image"),
        (b"image=/etc/passwd", {"Content-Type": "application/json"}, "named image"),
        (*upload_form(b"text"), "not an image (JPEG, PNG, BMP, GIF, WEBP or TIFF)"),
        (*upload_form(photo()[:-50]), "truncated"),
        (*upload_form(photo(), photo(), b""), "image[2]: empty file"),
        (*upload_form(b"", photo()), "image[0]: empty file"),
        (whole.replace(b'; filename="0.jpg"', b""), upload_form()[1], "Part exceeded"),
        (whole, {"Content-Type": "text/plain"}, "multipart/form-data"),
        (*upload_form(*[photo()] * 33), "Too many files"),
    ]:
        answer = client.ask("POST", "/classify", body, headers)
        assert answer.status == 400
        assert message in answer.content["error"]


def test_a_named_file_is_not_read(client, tmp_path, photo):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(photo())
    name = str(secret)
    for image in (
        name,
        {"path": name},
        {"b64": name},
        {"file": name},
        f"file://{name}",
    ):
        for signature in ("serve", "serve_bytes"):
            body = {"signature_name": signature, "instances": [image]}
            assert client.predict(body).status == 400
    text = (
        '--b\r\nContent-Disposition: form-data; name="image"; '
        f'filename="{name}"\r\n\r\nnothing\r\n--b--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.ask("POST", "/classify", text, headers)
    assert "not an image" in answer.content["error"]


def test_headers_keep_a_browser_to_this_server(client, photo):
    answers = [
        client.get("/"),
        client.get("/nothing"),
        client.classify(photo()),
        client.ask("POST", "/classify", b"", {"Origin": "http://elsewhere.example"}),
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "http" not in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Access-Control-Allow-Origin"] is None
        assert answer.headers["Server"] is None


def test_the_page_asks_nobody_else(client):
    kinds = {"/": "text/html", "/style.css": "text/css", "/page.js": "text/javascript"}
    for path, kind in kinds.items():
        answer = client.get(path)
        assert answer.headers["Content-Type"].startswith(kind)
        named = answer.content.replace(b"http://www.w3.org/2000/svg", b"")
        assert b"//" not in re.sub(rb"(?m)(^| )// .*$", b"", named)  # but for comments


def test_metrics_count_by_route_and_not_by_what_a_client_sends(client):
    for number in range(20):
        client.get(f"/nothing/{number}")
        client.get(f"/v1/models/{number}")
    lines = client.get("/metrics").content.decode().splitlines()
    counts = [line for line in lines if line.startswith("serving_requests_total")]
    of_others = [line for line in counts if 'code="404",path="other"' in line]
    of_models = [line for line in counts if '"404",path="/v1/models/{name}"' in line]
    assert len(of_others) == len(of_models) == 1
    assert all(float(each[0].split()[-1]) >= 20 for each in (of_others, of_models))
    assert client.get("/healthz").content == {"status": "ok"}


def test_a_model_that_fails_is_an_error_and_not_the_end(
    run_server, predictor, photo, lite, monkeypatch
):
    failing = threading.Event()
    call = serving.ServedModel._call

    def may_fail(self, pixels):
        if failing.is_set():
            raise ArithmeticError("no answer")
        return call(self, pixels)

    monkeypatch.setattr(serving.ServedModel, "_call", may_fail)
    with run_server(predictor, lite=lite) as client:
        failing.set()
        answer = client.classify(photo())
        assert answer.status == 500
        assert answer.content == {"error": "the server failed; its log says why"}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        failing.clear()
        assert client.classify(photo()).status == 200


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_an_error(run_server, predictor, photo, value):
    broken = keras.Sequential(
        [keras.Input((8, 12, 3)), layers.Flatten(), layers.Dense(6)]
    )
    broken.set_weights([np.full(w.shape, value) for w in broken.get_weights()])
    with run_server(Predictor(broken, list("abcdef"), (8, 12))) as client:
        for answer in (client.classify(photo()), client.predict({"inputs": [ZEROS]})):
            assert answer.status == 500
            assert answer.content == {"error": "the model's answer is not a number"}


def test_bad_limits_are_refused(client):
    names = ("max_bytes", "max_pixels", "max_images", "max_waiting", "max_memory")
    for name in names:
        with pytest.raises(ValueError, match=f"`{name}` must be an integer of at leas"):
            serving.create_app(client.model, **{name: 0})
