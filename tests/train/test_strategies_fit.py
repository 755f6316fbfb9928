"""Two devices, and two processes over loopback, train as one process does."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parents[1] / "programs"
TRAINING = PROGRAMS / "trains_on_devices.py"
RECIPE = PROGRAMS / "mnist_on_devices.py"


ERRORS = (
    "`model` must train by Keras's own `train_step`",
    "`x` must be a tf.data.Dataset of batches under a strategy",
    "`batch_size`, of all devices together, must be a multiple",
    "`gradient_accumulation_steps` must be None under a strategy",
    "`steps_per_execution` must be 1 under a strategy",
)


def environments():
    """What the environments of two workers have more."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    worker = [f"127.0.0.1:{opened.getsockname()[1]}" for opened in sockets]
    for opened in sockets:
        opened.close()
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    return [
        {"TF_CONFIG": json.dumps({"cluster": {"worker": worker}, "task": task})}
        for task in tasks
    ]


def start(how, folder, die_at=0, environment=None):
    return subprocess.Popen(
        [sys.executable, TRAINING, how, folder, str(die_at)],
        cwd=REPOSITORY,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    output, errors = process.communicate(timeout=200)
    return answer(process.returncode, output, errors)


def answer(code, output, errors):
    assert code == 0, errors
    return json.loads(output.splitlines()[-1])


def two_workers(folder, die_at=0):
    return [
        start("multi_worker", folder, die_at, environment)
        for environment in environments()
    ]


def check_alike(found, folder, kept):
    """What each worker has found; the chief alone has written."""
    assert found[0]["moving"] == found[1]["moving"] == SHARES
    assert found[0]["plain"]["weights"] == found[1]["plain"]["weights"]
    assert found[0]["plain"]["history"] == found[1]["plain"]["history"]
    names = sorted(path.name for path in folder.iterdir())
    assert names == [*kept, "norm.npz", "plain.npz"]


@pytest.fixture(scope="module")
def training():
    """The program, in this process, which has TensorFlow already."""
    spec = importlib.util.spec_from_file_location("trains_on_devices", TRAINING)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def alone(training, tmp_path_factory):
    return training.train_all("none", tmp_path_factory.mktemp("alone"), few=True)


@pytest.fixture(scope="module")
def all_alone(training, tmp_path_factory):
    """What is found of all that trains, and the folder it is in."""
    folder = tmp_path_factory.mktemp("all")
    return training.train_all("none", folder), folder


def check(found, expected, names=("plain", "norm")):
    for name in names:
        for column, values in expected[name]["history"].items():
            np.testing.assert_allclose(
                found[name]["history"][column], values, rtol=1e-4, atol=1e-5
            )
        np.testing.assert_allclose(found[name]["rates"], expected[name]["rates"])
        for key in ("weights", "predictions"):
            pairs = zip(found[name][key], expected[name][key], strict=True)
            for ours, wanted in pairs:
                np.testing.assert_allclose(ours, wanted, rtol=1e-3, atol=1e-4)


def check_all(found, expected):
    check(found, expected)
    np.testing.assert_allclose(found["lr_find"], expected["lr_find"], rtol=1e-4)
    assert found["restored epoch"] == expected["restored epoch"] == 0
    assert found["again"] == {"restored": 2, "weights": found["plain"]["weights"]}
    assert found["still"] == [True] * 4
    np.testing.assert_allclose(found["clipped"][0], expected["clipped"][0], rtol=1e-4)
    assert found["clipped"][1] == pytest.approx(expected["clipped"][1], rel=1e-4)
    assert found["scaled"] == expected["scaled"] == 1
    np.testing.assert_allclose(found["learner"], expected["learner"], rtol=1e-5)
    assert found["learned"] == expected["learned"]
    for column, losses in expected["taught"]["history"].items():
        ours = found["taught"]["history"][column]
        np.testing.assert_allclose(ours, losses, rtol=1e-4)
    weights = (of["taught"]["weights"] for of in (found, expected))
    for ours, wanted in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-3, atol=1e-5)
    for name, value in expected["evaluate"].items():
        assert found["evaluate"][name] == pytest.approx(value, rel=1e-4)


def check_boxes(found, expected):
    for name in ("lr_find", "losses"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3)
    for ours, wanted in zip(found["weights"], expected["weights"], strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-2, atol=1e-3)


# Of 0, 2 on one device and 10, 14 on the other, half of which is taken, beside half of
# the mean 0 and the variance 1 that there are first.
SHARES = [[(0 + 1 + 0 + 12) / 4], [(1 + 1 + 1 + 4) / 4]]


def test_two_devices_and_two_processes_train_as_one(alone, forks, tmp_path):
    """In one test, as two workers of pytest would each train alone first."""
    devices, processes = tmp_path / "devices", tmp_path / "processes"
    for folder in (devices, processes):
        folder.mkdir()
    (ended,) = forks([TRAINING, "mirrored", devices, 0, "few"])
    found = answer(*ended)
    check(found, alone)
    assert found["moving"] == SHARES
    for message, wanted in zip(found["errors"], ERRORS, strict=True):
        assert wanted in message

    worker = [TRAINING, "multi_worker", processes, 0, "few"]
    ended = forks(worker, worker, environments=environments())
    found = [answer(*worker) for worker in ended]
    check_alike(found, processes, [])
    for worker in found:
        check(worker, alone)


@pytest.mark.slow  # beside the two networks above, which always train
def test_two_devices_and_two_processes_do_all_as_one(all_alone, tmp_path):
    found, folder_of_one = all_alone
    devices, processes = tmp_path / "devices", tmp_path / "processes"
    for folder in (devices, processes):
        # What a Learner has trained on one device, those on two go on with.
        shutil.copytree(folder_of_one / "learner", folder / "learner")
    on_two = end(start("mirrored", devices))
    check_all(on_two, found)
    check_boxes(on_two["boxes"], found["boxes"])
    workers = [end(process) for process in two_workers(processes)]
    check_alike(workers, processes, ["learner"])
    for worker in workers:
        check_all(worker, found)


@pytest.mark.slow  # beside the two processes above, which always run
def test_a_killed_worker_ends_the_job_which_then_resumes(alone, tmp_path):
    chief, other = two_workers(tmp_path, die_at=6)  # of four batches an epoch
    errors = chief.communicate(timeout=200)[1]
    assert other.wait() == -9 and chief.returncode not in (0, None)
    assert "UnavailableError" in errors
    other.communicate()
    found = [end(process) for process in two_workers(tmp_path, die_at=1000)]
    for worker in found:
        assert worker["plain"]["restored"] == 1
        check(worker, alone, ["plain"])


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    rng = np.random.default_rng(0)
    for name, count in (("train", 250), ("t10k", 60)):
        labels = np.resize(np.arange(10, dtype=np.uint8), count)
        images = labels[:, None, None] * 22 + rng.integers(0, 50, (count, 28, 28))
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim])
            header += np.array(array.shape, ">u4").tobytes()
            content = header + array.astype(np.uint8).tobytes()
            (folder / f"{name}-{kind}-ubyte").write_bytes(content)
    return folder


def run_recipe(digits, out, strategy, *more, environment=None):
    return subprocess.Popen(
        [
            sys.executable,
            PROGRAMS / "mnist_on_devices.py",
            digits,
            out,
            strategy,
            *more,
        ],
        cwd=REPOSITORY,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def outs(tmp_path):
    """The run's folder on each of two machines, and of a process alone."""
    for name in ("chief", "other", "alone"):
        (tmp_path / name).mkdir()
    return [tmp_path / name / "run" for name in ("chief", "other", "alone")]


def on_two_machines(digits, outs, *more, to_other=()):
    """Exit code, and what it prints on stderr, of each machine."""
    options = (), to_other
    workers = [
        run_recipe(digits, out, "multi_worker", *more, *own, environment=environment)
        for out, own, environment in zip(outs, options, environments(), strict=False)
    ]
    errors = [worker.communicate(timeout=200)[1] for worker in workers]
    return [worker.returncode for worker in workers], errors


def check_run(digits, outs):
    """The chief's folder is that of a process alone; the other machine has none."""
    assert list(outs[1].parent.iterdir()) == []
    alone = run_recipe(digits, outs[2], "none")
    assert alone.communicate(timeout=200) and alone.returncode == 0
    found, expected = (sorted(f.name for f in outs[i].iterdir()) for i in (0, 2))
    assert found == expected
    found, expected = (pd.read_csv(outs[i] / "history.csv") for i in (0, 2))
    for column in ("loss", "val_loss"):
        # Dropout draws other masks.
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-3)


@pytest.mark.slow  # beside the two processes above, which always run
def test_a_recipe_on_two_machines_writes_the_folder_of_one(digits, outs):
    codes, errors = on_two_machines(digits, outs)
    assert codes == [0, 0], errors
    check_run(digits, outs)


@pytest.mark.slow  # beside the two processes above, which always run
def test_a_recipe_goes_on_after_a_machine_is_lost(digits, outs):
    codes, errors = on_two_machines(digits, outs, to_other=["die"])
    assert codes == [75, -9], errors
    assert "another worker of this job is gone" in errors[0]
    codes, errors = on_two_machines(digits, outs, "--resume")
    assert codes == [0, 0], errors
    check_run(digits, outs)


@pytest.mark.slow  # beside the same errors of one process, which always run
def test_an_error_of_one_machine_ends_the_job(digits, outs):
    codes, errors = on_two_machines(digits, outs, to_other=["--epochs", "3"])
    assert codes == [75, 2], errors
    assert "--epochs 3 (recorded: 2)" in errors[1]
    outs[0].mkdir()
    codes, errors = on_two_machines(digits, outs)
    assert codes == [2, 75], errors
    assert "must not exist" in errors[0]
