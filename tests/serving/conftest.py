import http.client
import io
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl import serving
from kerasdl.classification import Predictor
from kerasdl.export import save_tflite

SIZE = (8, 12)
CLASS_NAMES = ["ant", "bee", "cat", "dog", "élan", "fox"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def position_model():
    """Six classes, every pixel of every image with a weight of its own."""
    model = keras.Sequential(
        [
            keras.Input((*SIZE, 3)),
            layers.Flatten(),
            layers.Dense(len(CLASS_NAMES), activation="softmax"),
        ]
    )
    rng = np.random.default_rng(0)
    shape = (SIZE[0] * SIZE[1] * 3, len(CLASS_NAMES))
    model.layers[-1].set_weights([rng.normal(0, 1e-3, shape), np.zeros(shape[1])])
    return model


@pytest.fixture(scope="session")
def predictor():
    return Predictor(position_model(), CLASS_NAMES, SIZE)


@pytest.fixture(scope="session")
def photo():
    """`photo(seed, size, kind, **options)`: the bytes of a picture of random pixels."""

    def make(seed=0, size=(20, 30), kind="JPEG", **options):
        pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), "uint8")
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind, **options)
        return file.getvalue()

    return make


class Client:
    """Asks a server at a port of this machine, over real HTTP."""

    def __init__(self, server, model):
        self.server, self.model = server, model
        self.port = int(server.url.rsplit(":", 1)[1])

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method, path, body=None, headers=None):
        """Status, JSON and headers of an answer."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        is_json = answer.headers["Content-Type"] == "application/json"
        content = json.loads(content) if is_json and content else content
        return SimpleNamespace(
            status=answer.status, content=content, headers=answer.headers
        )

    def get(self, path):
        return self.ask("GET", path)

    def predict(self, body, path="/v1/models/animals:predict"):
        body = body if isinstance(body, bytes) else json.dumps(body)
        return self.ask("POST", path, body)

    def classify(self, *photos):
        return self.ask("POST", "/classify", *form(*photos))

    def metric(self, name):
        """The value of a metric without labels."""
        lines = self.get("/metrics").content.decode().splitlines()
        (value,) = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
        return float(value)

    def half_sent(self, body, path="/classify", headers=None):
        """A connection whose request lacks its last byte, and is under way."""
        connection = self.connect()
        before = self.metric("serving_requests_in_flight")
        connection.putrequest("POST", path)
        for name, value in {"Content-Length": len(body), **(headers or {})}.items():
            connection.putheader(name, value)
        connection.endheaders(body[:-1])
        self.until_in_flight(before + 1)
        return connection

    def until_in_flight(self, number):
        """Wait for as many requests to be under way."""
        end = time.monotonic() + 60
        while self.metric("serving_requests_in_flight") != number:
            assert time.monotonic() < end


def form(*photos, field="image", boundary="xYzZy"):
    """Body and headers of an upload."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; '
        f'filename="{number}.jpg"\r\n\r\n'.encode()
        + photo
        + b"\r\n"
        for number, photo in enumerate(photos)
    ]
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), headers


@contextmanager
def running(
    predictor,
    name="animals",
    max_batch=8,
    max_wait_ms=0,
    lite=None,
    head_seconds=10,
    **limits,
):
    """A server of pictures in a thread of its own."""
    model = serving.ServedModel(predictor, name, max_batch, max_wait_ms, lite)
    with running_app(serving.create_app(model, **limits), model, head_seconds) as asked:
        yield asked


@contextmanager
def running_app(app, model=None, head_seconds=10):
    """A server of an application in a thread of its own."""
    ready = threading.Event()
    bound = serving.bind(port=0)
    server = serving.Server(app, bound, ready.set, head_seconds=head_seconds)
    thread = threading.Thread(target=server.run_until_stopped)
    thread.start()
    try:
        assert ready.wait(60)
        yield Client(server, model)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def run_server():
    return running


@pytest.fixture(scope="session")
def run_app():
    return running_app


@pytest.fixture(scope="session")
def upload_form():
    return form


def by_litert(predictor, folder):
    """What computes the predictor's model from a `.tflite` file."""
    path = folder / "model.tflite"
    save_tflite(predictor.model, path)
    return serving.LiteModel(path, predictor)


@pytest.fixture(scope="session")
def lite_model_of(tmp_path_factory):
    return lambda predictor: by_litert(predictor, tmp_path_factory.mktemp("lite"))


@pytest.fixture(scope="session", params=["keras", "litert"])
def lite(request, predictor, lite_model_of):
    """Both runtimes of the same model."""
    return lite_model_of(predictor) if request.param == "litert" else None


@pytest.fixture(scope="session")
def client(predictor, lite):
    with running(predictor, lite=lite) as client:
        yield client


class Browser:
    """A page in headless Chromium, driven over the DevTools protocol.

    Reference: https://chromedevtools.github.io/devtools-protocol/
    """

    def __init__(self, commands, answers):
        self._commands, self._answers = commands, answers
        self._numbers = itertools.count(1)
        self._read = b""
        self._session = {}
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")
        attached = self.call("Target.attachToTarget", **target, flatten=True)
        self._session = attached
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": params, **self._session}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self):
        while b"\0" not in self._read:
            assert select.select([self._answers], [], [], 60)[0], "no answer"
            chunk = os.read(self._answers, 1 << 16)
            assert chunk, "Chromium has ended"
            self._read += chunk
        text, _, self._read = self._read.partition(b"\0")
        return json.loads(text)

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState == 'complete'")

    def run(self, expression):
        """The value of JavaScript."""
        params = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", **params)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, condition):
        """Until a condition in JavaScript holds."""
        self.run(
            "new Promise((done, fail) => { const look = () => "
            f"({condition}) ? done() : requestAnimationFrame(look); look(); "
            "setTimeout(() => fail(new Error('waited for long')), 30000); })"
        )

    def choose(self, selector, files):
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)
        files = [str(file) for file in files]
        self.call("DOM.setFileInputFiles", files=files, **node)

    def screen(self, width, height):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1},
            mobile=width < 600,
        )

    def close(self):
        self._session = {}  # a command to the browser, not to the page
        self.call("Browser.close")

    def complaints(self):
        """What the browser's console holds: errors, blocked resources."""
        kinds = (
            "Log.entryAdded",
            "Runtime.exceptionThrown",
            "Runtime.consoleAPICalled",
        )
        return [event for event in self.events if event.get("method") in kinds]


@pytest.fixture
def browser(tmp_path, programs):
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    commands, answers = os.pipe(), os.pipe()
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
    flags += ["--disable-background-networking", f"--user-data-dir={tmp_path}/profile"]
    process = subprocess.Popen(
        [
            sys.executable,
            programs / "start_chromium.py",
            str(commands[0]),
            str(answers[1]),
            CHROMIUM,
            *flags,
        ],
        pass_fds=(commands[0], answers[1]),
        stderr=subprocess.DEVNULL,
    )
    os.close(commands[0])
    os.close(answers[1])
    try:
        page = Browser(commands[1], answers[0])
        yield page
        page.close()
    finally:
        process.terminate()
        process.wait()
        os.close(commands[1])
        os.close(answers[0])
