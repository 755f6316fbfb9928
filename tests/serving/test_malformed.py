import ctypes
import gc
import json
import os
import socket
import threading
import zlib
from base64 import b64encode

import numpy as np
import pytest

BASE = "/v1/models/animals:predict"
MAX_BYTES = 1_000_000
MAX_GROWTH = 20_000_000  # of resident memory, in bytes
POOLED_THREADS = 24  # of all pools of a server on two processors


class Malformed:
    """`next()` sends a request that is wrong in one of many ways, drawn by a seed."""

    def __init__(self, client, photo, form, seed):
        self.client, self.form = client, form
        self.rng = np.random.default_rng(seed)
        self.uploaded = 0  # bytes of files that the server took in
        sizes = [(20, 30), (300, 400)]
        self.photos = [
            photo(number, size, kind)
            for number, size in enumerate(sizes)
            for kind in ("JPEG", "PNG", "GIF", "BMP", "WEBP")
        ]
        self.ways = [
            self.cut,
            self.noisy,
            self.random,
            self.padded,
            self.bomb,
            self.overlong,
            self.broken_form,
            self.broken_json,
            self.wrong_pixels,
            self.wrong_base64,
            self.raw,
            self.gone,
            self.huge_header,
            self.many_parts,
            self.compressed,
        ]

    def next(self):
        """Send one; the status, or None where the connection ends without."""
        return self.rng.choice(self.ways)()

    def upload(self, data):
        self.uploaded += len(data) if len(data) < MAX_BYTES else 0
        if self.rng.random() < 0.3:
            body = {"signature_name": "serve_bytes"}
            body["instances"] = [{"b64": b64encode(data).decode()}]
            return self.client.predict(body).status
        return self.client.classify(data).status

    def picture(self):
        return self.photos[self.rng.integers(len(self.photos))]

    def cut(self):
        data = self.picture()
        return self.upload(data[: self.rng.integers(len(data) // 2)])

    def noisy(self):
        """Some bytes are others, which may still be a picture."""
        data = np.frombuffer(self.picture(), np.uint8).copy()
        places = self.rng.integers(0, len(data), self.rng.integers(1, 50))
        data[places] = self.rng.integers(0, 256, len(places))
        return self.upload(data.tobytes())

    def random(self):
        start = self.picture()[: self.rng.integers(20)]
        return self.upload(start + self.rng.bytes(self.rng.integers(1, 5000)))

    def padded(self):
        return self.upload(b"\xff\xd8\xff" + self.rng.bytes(700_000))

    def bomb(self):
        """A header that declares up to 4 thousand million pixels a side."""
        sides = (int(2 ** self.rng.uniform(13, 32)).to_bytes(4, "big") for _ in "hw")
        head = b"IHDR" + b"".join(sides) + b"\x08\x02\0\0\0"
        chunk = b"\0\0\0\r" + head + zlib.crc32(head).to_bytes(4, "big")
        return self.upload(b"\x89PNG\r\n\x1a\n" + chunk + self.rng.bytes(200))

    def overlong(self):
        return self.upload(bytes(self.rng.integers(1_000_000, 1_500_000)))

    def broken_form(self):
        body, headers = self.form(self.picture())
        cut = self.rng.integers(len(body))
        kind = self.rng.integers(4)
        if kind == 0:
            body = body[:cut]
        elif kind == 1:
            body = body[cut:]
        elif kind == 2:
            headers = {"Content-Type": "multipart/form-data; boundary=" + "b" * 300}
        else:
            body = body.replace(b"form-data", self.rng.bytes(9), 1)
        return self.client.ask("POST", "/classify", body, headers).status

    def broken_json(self):
        text = json.dumps({"instances": [[[[0, 0, 0]] * 12] * 8]}).encode()
        place = self.rng.integers(len(text))
        with_noise = text[:place] + self.rng.bytes(3) + text[place:]
        choices = [with_noise, text[:place], text + text, b"[" * 50_000]
        return self.client.predict(choices[self.rng.integers(4)]).status

    def wrong_pixels(self):
        pixels = np.zeros((8, 12, 3), int).tolist()
        wrong = [None, -1, 256, 0.5, 1e308, float("nan"), "7", [], {}, 10**30]
        pixels[3][self.rng.integers(12)] = wrong[self.rng.integers(len(wrong))]
        return self.client.predict({"instances": [pixels]}).status

    def wrong_base64(self):
        texts = ["A", "====", "/etc/passwd", "\ud800", "A" * 401, "é"]
        body = {"signature_name": "serve_bytes"}
        body["instances"] = [{"b64": texts[self.rng.integers(len(texts))]}]
        return self.client.predict(body).status

    def raw(self):
        """Bytes that are no HTTP."""
        return self.send(self.rng.bytes(self.rng.integers(1, 2000)) + b"\r\n\r\n")

    def gone(self):
        """The client goes in the middle of a body."""
        head = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"
        return self.send(head + self.rng.bytes(100))

    def huge_header(self):
        line = b"X-Long: " + b"x" * int(self.rng.integers(70_000, 100_000))
        return self.send(b"GET / HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\n")

    def send(self, data):
        address = ("127.0.0.1", self.client.port)
        with socket.create_connection(address, timeout=60) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.makefile("rb").readline().split()
            except OSError:
                return None
        return int(answer[1]) if len(answer) > 1 else None

    def many_parts(self):
        return self.client.classify(*[b"x"] * int(self.rng.integers(33, 200))).status

    def compressed(self):
        headers = {"Content-Encoding": "gzip"}
        body = zlib.compress(bytes(100_000))
        return self.client.ask("POST", BASE, body, headers).status


def in_use():
    """Resident memory in bytes, open files, threads; of this process."""
    gc.collect()
    # Without it what other tests of this process have freed moves the number.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    files = len(os.listdir("/proc/self/fd"))
    return pages * os.sysconf("SC_PAGE_SIZE"), files, threading.active_count()


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_a_thousand_malformed_uploads_neither_crash_nor_leak(
    run_server, predictor, photo, upload_form
):
    with run_server(predictor, max_bytes=MAX_BYTES) as client:
        expected = client.classify(photo()).content
        malformed = Malformed(client, photo, upload_form, seed=5)
        for _ in range(500):  # pools, arenas and caches reach their sizes
            malformed.next()
        before, files, threads = in_use()
        malformed.uploaded = 0
        statuses = [malformed.next() for _ in range(1000)]
        counts = {status: statuses.count(status) for status in set(statuses)}
        # 200: noise that left a picture one. None: no HTTP, so no answer either.
        assert set(counts) <= {200, 400, 413, None}
        assert counts[400] > 500 and counts[413] > 50 and counts.get(200, 0) < 150
        assert client.classify(photo()).content == expected
        assert client.metric("serving_requests_in_flight") == 0
        after, files_after, threads_after = in_use()
        assert malformed.uploaded > 2 * MAX_GROWTH  # so a leak of them would be seen
        assert files_after <= files + 3
        # Pools begin a thread when none of theirs is idle, up to their size.
        assert threads_after <= threads + POOLED_THREADS
        growth = [after - before]
        # A leak grows each time, while arenas of a process in use since long grow once.
        while growth[-1] >= MAX_GROWTH and len(growth) < 4:
            for _ in range(1000):
                malformed.next()
            before, after = after, in_use()[0]
            growth.append(after - before)
        assert min(growth) < MAX_GROWTH, growth
