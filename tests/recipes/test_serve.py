import http.client
import importlib.util
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kerasdl.export import save_inference_model, save_tflite
from kerasdl.runs import run_folder
from kerasdl.workbench import run_recipe

REPOSITORY = Path(__file__).parents[2]
RECIPE = REPOSITORY / "recipes" / "serve.py"
BENCHMARK = REPOSITORY / "recipes" / "benchmarks" / "serving.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that tells red from blue."""
    folder = tmp_path_factory.mktemp("serve")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    weights = np.array([[0, 0.01], [0, 0], [0.01, 0]])
    model.layers[-1].set_weights([weights, np.zeros(2)])
    with run_folder(folder / "colours", {}, seed=1) as run:
        save_inference_model(model, run.path / "model.keras")
        save_tflite(model, run.path / "model.tflite")
        run.save_labels(["blue", "red"])
        run.manifest.update(image_size=(8, 8), resize="crop")
    return folder / "colours"


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "sun.png"
    Image.new("RGB", (20, 30), (200, 0, 0)).save(path)
    return path


@contextmanager
def started(*arguments):
    """The recipe in a process of its own, and the lines of its start."""
    command = [sys.executable, RECIPE, *map(str, arguments), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes)
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def port_of(line):
    return int(re.search(r"http://[\d.]+:(\d+)", line)[1])


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    content = connection.getresponse().read().decode()
    connection.close()
    return content


@pytest.mark.parametrize(
    ("number", "arguments", "name", "host"),
    [
        (signal.SIGTERM, [], "colours", "127.0.0.1"),
        pytest.param(  # beside the first: the same with other arguments
            signal.SIGINT,
            ["--host", "0.0.0.0", "--name", "mine"],
            "mine",
            "0.0.0.0",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_signal_in_the_middle_of_a_request_lets_it_be_answered(
    run, photo, number, arguments, name, host
):
    images = [{"b64": b64encode(photo.read_bytes()).decode()}]
    body = json.dumps({"signature_name": "serve_bytes", "instances": images}).encode()
    with started(run, *arguments) as (process, line):
        port = port_of(line)
        assert line == f"{name} on http://{host}:{port} (Ctrl-C stops)\n"
        if host == "0.0.0.0":
            line = process.stdout.readline()
            assert line == "Anyone on the network reaches it, without a password.\n"
        assert process.stdout.readline() == "LiteRT computes, by model.tflite\n"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest("POST", f"/v1/models/{name}:predict")
        connection.putheader("Content-Length", len(body))
        connection.endheaders(body[:-5])
        end = time.monotonic() + 60
        while "serving_requests_in_flight 1.0" not in get(port, "/metrics"):
            assert time.monotonic() < end
        process.send_signal(number)
        with pytest.raises(ConnectionRefusedError):  # it takes no more requests
            while time.monotonic() < end:
                get_once(port)
        connection.send(body[-5:])
        answer = connection.getresponse()
        red = 1 / (1 + np.exp(-2))  # the scores differ by 0.01 * 200
        assert answer.status == 200
        (found,) = json.loads(answer.read())["predictions"]
        np.testing.assert_allclose(found, [1 - red, red], atol=1e-6)
        rest, errors = process.communicate(timeout=60)
        assert (process.returncode, rest, errors) == (0, "stopped\n", "")


def get_once(port):
    """Connect; what was queued when the server stopped to listen may be reset."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionResetError:
        pass


def load(path):
    spec = importlib.util.spec_from_file_location(f"{path.stem}_recipe", path)
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    return recipe


def main(path, *arguments):
    """Run a recipe in this process; what it exits with."""
    recipe = load(path)
    with pytest.raises(SystemExit) as exit_:
        run_recipe(lambda: recipe.main([str(argument) for argument in arguments]))
    return exit_.value.code


def test_a_taken_port_exits_with_two(run, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(RECIPE, run, "--port", port) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"--port {port} (Address already in use)" in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "must be an existing run folder"),
        (["RUN", "--port", "70000"], "--port must be in [0, 65535]. Received: 70000"),
        (["RUN", "--name", "a/b"], "--name must be letters, digits"),
        (["RUN", "--max-bytes", "0"], "must be at least 1. Received: 0"),
        (
            ["RUN", "--max-bytes", "75000001"],
            "at least 4 times --max-bytes. Received: 3",
        ),
        (["RUN", "--max-wait-ms", "nan"], "--max-wait-ms must be in [0, 10000]"),
        (
            ["RUN", "--max-wait-ms", "2", "--runtime", "litert"],
            "--max-wait-ms must be 0 with --runtime litert",
        ),
        (["RUN", "--runtime", "onnx"], "invalid choice: 'onnx'"),
    ],
)
def test_bad_arguments_exit_with_two(run, capsys, arguments, message):
    arguments = [run if argument == "RUN" else argument for argument in arguments]
    assert main(RECIPE, *arguments) == 2
    assert message in capsys.readouterr().err


def test_litert_is_for_classifiers_of_photos(tmp_path, capsys):
    with run_folder(tmp_path / "boxes", {}, seed=1) as other:
        other.manifest["task"] = "detection"
    assert main(RECIPE, tmp_path / "boxes", "--runtime", "litert") == 2
    assert (
        "--runtime must be keras but for classifiers of photos. Received: litert"
        in capsys.readouterr().err
    )


HEAD = "clients server p50 ms p95 ms p99 ms a second a batch refused".split()
QUICK = ("--requests", "20", "--rounds", "2")


def table(text):
    """The rows of the load test's table, and the lines of the starts."""
    head, *lines = text.splitlines()
    assert head.split() == HEAD
    rows = [line for line in lines if "start s" not in line]
    return [row.split() for row in rows], lines[len(rows) :]


def check_numbers(row, most):
    p50, p95, p99, rate, batch = map(float, row[-6:-1])
    assert 0 < p50 <= p95 <= p99 and rate > 0 and 0 <= batch <= most
    assert row[-1] == "0"


def runtime_of(*arguments):
    """What computes a run that the recipe serves."""
    recipe = load(RECIPE)
    model = recipe.classifier(recipe.parse_args([*map(str, arguments)]))
    model.close()
    return model.runtime


@pytest.mark.parametrize("arguments", [[], ["--runtime", "litert"]], ids=str)
@pytest.mark.parametrize("content", [None, b"text"])
def test_litert_computes_where_its_file_is_proved(
    run, tmp_path, capsys, arguments, content
):
    folder = tmp_path / "colours"
    shutil.copytree(run, folder)

    def chosen(*more):
        return runtime_of(folder, *arguments, *more)

    assert chosen() == "litert"
    assert chosen("--runtime", "keras") == "keras"
    (folder / "model.tflite").unlink()
    if content:
        (folder / "model.tflite").write_bytes(content)
    assert capsys.readouterr().err == ""
    if arguments:
        with pytest.raises(ValueError, match="`path` must be a .tflite file"):
            chosen()
        return
    assert chosen() == "keras"
    said = capsys.readouterr().err
    assert ("not by LiteRT: `path` must be a .tflite file" in said) == bool(content)


def test_who_wants_to_wait_gets_keras(run):
    assert runtime_of(run, "--max-wait-ms", "2") == "keras"


def test_the_load_test_of_a_server_makes_a_table(run, photo, tmp_path, capfd):
    benchmark = load(BENCHMARK)
    (tmp_path / "text.jpg").write_text("no photo")
    with benchmark.begun(str(run), "litert", photo.read_bytes()) as target:
        url = target.url
        benchmark.main([url, "--photo", str(photo), "--clients", "1", "3", *QUICK])
        rows, starts = table(capfd.readouterr().out)
        assert main(BENCHMARK, url, "--photo", tmp_path / "text.jpg") == 2
        assert f"{url} answers 400: " in capfd.readouterr().err
    assert [row[0] for row in rows] == ["1", "3"] and starts == []
    for row in rows:
        check_numbers(row, 1)
    assert main(BENCHMARK, url, "--photo", photo) == 1  # its server has stopped
    assert "Connection refused" in capfd.readouterr().err


def test_a_run_of_another_task_is_refused(tmp_path, capsys):
    with run_folder(tmp_path / "boxes", {}, seed=1) as other:
        other.manifest["task"] = "segmentation"
    assert main(RECIPE, tmp_path / "boxes") == 2
    assert (
        "must be one of image_classification, tabular, text_cl"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "servers",
    [["bare litert"], pytest.param(None, marks=pytest.mark.slow)],
    ids=["bare", "all"],
)
def test_the_load_test_of_a_run_starts_servers(run, photo, capfd, servers):
    benchmark = load(BENCHMARK)
    chosen = ["--servers", *servers] if servers else []
    benchmark.main([str(run), "--photo", str(photo), "--clients", "2", *QUICK, *chosen])
    rows, starts = table(capfd.readouterr().out)
    names = servers or list(benchmark.SERVERS)
    assert [" ".join(row[1:-6]) for row in rows] == names
    assert [line.split("start s")[0].strip() for line in starts] == names
    for row in rows:
        check_numbers(row, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "--photo", "PHOTO"], "must begin with http://, or `path` must be"),
        (["RUN", "--photo", "gone.jpg"], "--photo must be an existing file"),
        (["RUN", "--photo", "PHOTO", "--requests", "0"], "must be at least 1"),
    ],
)
def test_bad_arguments_of_the_load_test_exit_with_two(
    run, photo, capsys, arguments, message
):
    files = {"RUN": run, "PHOTO": photo}
    assert main(BENCHMARK, *(files.get(name, name) for name in arguments)) == 2
    assert message in capsys.readouterr().err
