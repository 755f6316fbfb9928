import gzip
import json
import os
import socket
import struct
import threading
import zlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kerasdl import serving


@pytest.fixture(scope="module")
def small(run_server, predictor, lite):
    limits = {"max_bytes": 20_000, "max_pixels": 2000, "max_images": 2}
    limits |= {"max_waiting": 1, "max_memory": 80_000}
    with run_server(predictor, lite=lite, **limits) as client:
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
    first = photo(kind="PNG")
    assert small.classify(first, first).status == 200
    # Of all images of a request together: 600 pixels leave 1400.
    answer = small.classify(first, photo(size=(35, 41), kind="PNG"))
    assert answer.status == 413
    text = "image[1]: above the pixel limit (41 x 35) of 1400"
    assert answer.content == {"error": text}
    files = [first, photo(size=(35, 41), kind="PNG")]
    images = [{"b64": b64encode(file).decode()} for file in files]
    answer = small.predict({"signature_name": "serve_bytes", "instances": images})
    assert answer.status == 413
    assert answer.content == {"error": text.replace("image", "instances")}
    assert small.classify(photo(), photo(), photo()).status == 400
    answer = small.predict({"instances": [[], [], []]})
    assert answer.status == 413
    assert answer.content == {"error": "instances must be at most 2 images"}


def test_one_request_too_many_is_told_to_try_again(
    run_server, predictor, photo, monkeypatch
):
    begun, may_end = threading.Event(), threading.Event()
    call = serving.ServedModel._call

    def waits(self, pixels):
        begun.set()
        assert may_end.wait(60)
        return call(self, pixels)

    monkeypatch.setattr(serving.ServedModel, "_call", waits)
    with run_server(predictor, max_waiting=1) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.classify, photo())
        assert begun.wait(60)
        answer = client.classify(photo())
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"
        assert "1 requests are waiting already" in answer.content["error"]
        assert client.get("/healthz").status == 200
        may_end.set()
        assert first.result().status == 200
        assert client.classify(photo()).status == 200


def test_bodies_on_their_way_do_not_keep_others_out(small, upload_form, photo):
    """All from one address, and `max_waiting` is one."""
    body, headers = upload_form(photo())
    slow = [small.half_sent(body, headers=headers) for _ in range(20)]
    assert small.classify(photo()).status == 200
    assert small.predict({}).status == 400
    for connection in slow:
        connection.send(body[-1:])
        assert connection.getresponse().status == 200
        connection.close()


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
        assert answer.read() == b'{"error":"the body came too slowly"}'
        slow.close()
        assert client.metric("serving_requests_in_flight") == 0


def exchanged(client, *sent):
    """All that is answered on a connection whose other half is then closed."""
    address = ("127.0.0.1", client.port)
    with socket.create_connection(address, timeout=60) as connection:
        for part in sent:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_who_asks_before_sending_too_much_is_refused_at_once(small):
    head = b"POST /classify HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
    address = ("127.0.0.1", small.port)
    for length, first in ((20_000, b"HTTP/1.1 100 "), (20_001, b"HTTP/1.1 413 ")):
        with socket.create_connection(address, timeout=60) as connection:
            connection.sendall(head + b"Content-Length: %d\r\n\r\n" % length)
            assert connection.recv(len(first)) == first
            if length > 20_000:
                rest = b"".join(iter(lambda: connection.recv(1 << 16), b""))
                assert b"connection: close" in rest.lower()


def test_a_client_that_has_closed_its_half_gets_its_answer(small):
    found = exchanged(
        small, b"POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
    )
    assert found.startswith(b"HTTP/1.1 400") and b"files in fields named image" in found


@pytest.mark.parametrize("path", ["/classify", "/nothing"])  # answered late, and early
def test_a_body_in_parts_of_a_byte_is_refused(small, path):
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    found = exchanged(small, head.encode(), b"1\r\na\r\n" * 1000 + b"0\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 40") and b"Invalid" not in found
    found = exchanged(small, head.encode(), b"1\r\na\r\n" * 2000)
    assert found.startswith(b"HTTP/1.1 400") and b"Invalid HTTP request" in found
    assert small.get("/healthz").status == 200


def test_bodies_may_be_compressed(small, upload_form, photo):
    zipped = {"Content-Encoding": "gzip"}
    body, headers = upload_form(photo())
    answer = small.ask("POST", "/classify", gzip.compress(body), headers | zipped)
    assert answer.content == small.classify(photo()).content
    pixels = np.zeros((2, 8, 12, 3), int).tolist()
    body = gzip.compress(json.dumps({"instances": pixels}).encode())
    answer = small.ask("POST", "/v1/models/animals:predict", body, zipped)
    assert answer.status == 200
    body = gzip.compress(json.dumps({"instances": pixels * 30}).encode())
    assert len(body) < 1000
    answer = small.ask("POST", "/v1/models/animals:predict", body, zipped)
    assert answer.status == 413


def png_that_lies():
    """141 bytes, and a chunk that declares four thousand million."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    head = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + head + b"\xff\xff\xff\xf0tEXt" + b"a" * 100


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_photo_that_lies_about_a_length_takes_no_memory(client):
    def peak():
        with open("/proc/self/status") as file:
            (line,) = [line for line in file if line.startswith("VmHWM")]
        return int(line.split()[1])

    before = peak()
    image = {"b64": b64encode(png_that_lies()).decode()}
    body = {"signature_name": "serve_bytes", "instances": [image]}
    for answer in (client.classify(png_that_lies()), client.predict(body)):
        assert answer.status == 400
        assert "truncated" in answer.content["error"]
    assert peak() - before < 50_000  # kB
