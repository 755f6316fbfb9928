import http.client
import io
import json
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
