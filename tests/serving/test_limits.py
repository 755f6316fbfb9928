from base64 import b64encode

import pytest


@pytest.fixture(scope="module")
def small(run_server, predictor):
    limits = {"max_bytes": 20_000, "max_pixels": 2000, "max_images": 2}
    with run_server(predictor, max_waiting=1, **limits) as client:
        yield client


def test_a_body_above_the_limit_is_refused(small, upload_form, photo):
    body, headers = upload_form(photo())
    body += b" " * (20_000 - len(body))
    assert small.ask("POST", "/classify", body, headers).status == 200
    for much in (1, 100_000, 1_000_000):
        answer = small.ask("POST", "/classify", body + b" " * much, headers)
        assert answer.status == 413
        assert answer.content == {"error": "the body must be at most 20000 bytes"}


def test_a_body_without_a_length_is_counted_as_it_comes(small, upload_form, photo):
    body, headers = upload_form(photo())
    # So http.client sends what it cannot measure: in chunks.
    chunks = iter([body[:100], body[100:]])
    assert small.ask("POST", "/classify", chunks, headers).status == 200
    chunks = iter([b"x" * 15_000, b"x" * 15_000])
    assert small.ask("POST", "/classify", chunks, headers).status == 413


def test_pixels_and_images_above_their_limits_are_refused(small, photo):
    assert small.classify(photo(size=(40, 50), kind="PNG")).status == 200
    answer = small.classify(photo(size=(40, 51), kind="PNG"))
    assert answer.status == 413
    assert answer.content == {"error": "above the pixel limit (51 x 40) of 2000"}
    assert small.classify(photo(), photo()).status == 200
    # Of all images of a request together: 600 pixels leave 1400.
    answer = small.classify(photo(), photo(size=(35, 41), kind="PNG"))
    assert answer.status == 413
    text = "image[1]: above the pixel limit (41 x 35) of 1400"
    assert answer.content == {"error": text}
    files = [photo(), photo(size=(35, 41), kind="PNG")]
    images = [{"b64": b64encode(file).decode()} for file in files]
    answer = small.predict({"signature_name": "serve_bytes", "instances": images})
    assert answer.status == 413
    assert answer.content == {"error": text.replace("image", "instances")}
    assert small.classify(photo(), photo(), photo()).status == 400
    answer = small.predict({"instances": [[], [], []]})
    assert answer.status == 413
    assert answer.content == {"error": "instances must be at most 2 images"}


def test_one_request_too_many_is_told_to_try_again(small, upload_form, photo):
    body, headers = upload_form(photo())
    first = small.half_sent(body, headers=headers)
    answer = small.classify(photo())
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
    assert "1 requests are waiting already" in answer.content["error"]
    assert small.get("/healthz").status == 200
    first.send(body[-1:])
    assert first.getresponse().status == 200
    first.close()
    assert small.classify(photo()).status == 200


def test_who_goes_in_the_middle_frees_the_place(small, upload_form, photo):
    body, headers = upload_form(photo())
    small.half_sent(body, headers=headers).close()
    small.until_in_flight(0)
    assert small.classify(photo()).status == 200
    text = small.get("/metrics").content.decode()
    assert 'serving_requests_total{code="gone",path="other"}' in text


def test_a_body_that_does_not_come_is_not_waited_for(run_server, predictor):
    with run_server(predictor, body_seconds=0.2) as client:
        slow = client.half_sent(b"0123456789")
        answer = slow.getresponse()
        assert answer.status == 408
        assert answer.read() == b'{"error":"the body did not arrive in 0.2 seconds"}'
        slow.close()
        assert client.metric("serving_requests_in_flight") == 0
