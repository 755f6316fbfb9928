"""Two devices, and two processes over loopback, train as one process does."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[2]

# 31 training images in batches of 8: two devices share the last, of 7, unevenly.
TRAINING = """
import json, os, sys
import kerasdl
from kerasdl import strategies
import tensorflow as tf
how, folder, die_at = sys.argv[1], sys.argv[2], int(sys.argv[3])
if how == "mirrored":
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, two)
strategies.use(how)
import keras, numpy as np
import tempfile
from kerasdl import classification, data as kdata, train

rng = np.random.default_rng(0)
labels = np.resize(np.arange(2), 45)
noise = rng.integers(0, 120, (45, 8, 8, 3))
images = (labels[:, None, None, None] * 60 + noise).astype("uint8")
augment = kdata.Augment(horizontal_flip=True, rotation_range=20)
data = kdata.ImageData.from_arrays(
    images, labels, 0.3, batch_size=8, augment=augment, seed=3
)

def build(norm):
    he = keras.initializers.HeNormal
    layers = keras.layers
    return keras.Sequential([
        keras.Input((8, 8, 3)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(4, 3, activation="relu", kernel_initializer=he(1)),
        *norm,
        layers.GlobalAveragePooling2D(),
        layers.Dense(1, "sigmoid", kernel_initializer=he(2), kernel_regularizer="l2"),
    ])

class Die(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        step = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
        if step == die_at and not strategies.is_chief():
            os.kill(os.getpid(), 9)

found = {}
norm = keras.layers.BatchNormalization(synchronized=how != "none")
frozen = keras.layers.BatchNormalization(trainable=False)
for name, norms in (("plain", []), ("norm", [norm, frozen])):
    if name == "norm" and die_at:
        continue
    model = build(norms)
    drawn = np.linspace(0.7, 1.3, 4).astype("float32")
    if name == "norm":
        frozen.set_weights([drawn] * 4)
    metrics = ["accuracy", keras.metrics.AUC(name="auc")]
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=metrics)
    if name == "plain" and not die_at:
        found["lr_find"] = train.lr_find(model, data, 1e-4, 1, 6).losses.tolist()
        found["restored epoch"] = data.stream.next_epoch
    history = train.fit_cycles(
        *(model, data, [0.005, 0.05], 1, 2, 1, [Die()] if die_at else []),
        state=folder + "/" + name + ".npz",
        class_weight={0: 1.0, 1: 3.0} if name == "plain" else None,
    )
    found[name] = {
        "history": history.drop(columns="seconds").to_dict("list"),
        "rates": history.attrs["learning_rates"],
        "restored": history.attrs["restored"],
        "weights": [w.tolist() for w in model.get_weights()],
        "predictions": model.predict(data.valid, verbose=0).tolist(),
    }
    if name == "plain":
        again = build(norms)
        again.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
        history = train.fit_cycles(
            *(again, data, [0.005, 0.05], 1, 2, 1, [Die()] if die_at else []),
            state=folder + "/" + name + ".npz",
            class_weight={0: 1.0, 1: 3.0},
        )
        found["again"] = {
            "restored": history.attrs["restored"],
            "weights": [w.tolist() for w in again.get_weights()],
        }
    else:
        found["still"] = [np.array_equal(w, drawn) for w in frozen.get_weights()]
    # A second pass of the same dataset, then of one that is not ours.
    if name == "plain" and not die_at:
        whole = tf.data.Dataset.from_tensor_slices(
            (images.astype("float32"), labels[:, None].astype("float32"))
        ).batch(11)
        found["evaluate"] = model.evaluate(whole, verbose=0, return_dict=True)
if not die_at:
    four = np.array([0, 2, 10, 14], "float32").reshape(4, 1, 1, 1)
    small = keras.Sequential([
        keras.Input((1, 1, 1)),
        keras.layers.BatchNormalization(momentum=0.5),
        keras.layers.Flatten(),
        keras.layers.Dense(1),
    ])
    small.compile("sgd", "mse")
    batches = tf.data.Dataset.from_tensor_slices((four, np.zeros((4, 1)))).batch(4)
    train.distributed(train.fused_batch_norm(small)).fit(batches, verbose=0)
    moving = small.layers[0].non_trainable_variables
    found["moving"] = [variable.numpy().tolist() for variable in moving]

    # Clipped as a whole; the last batch, of one example, is the whole of both devices.
    x = np.linspace(-3, 3, 5, dtype="float32").reshape(5, 1)
    clipped = keras.Sequential([
        keras.Input((1,)),
        keras.layers.BatchNormalization(synchronized=how != "none"),
        keras.layers.Dense(1, kernel_initializer="ones"),
    ])
    clipped.compile(keras.optimizers.SGD(0.5, global_clipnorm=0.05), "mse")
    lines = tf.data.Dataset.from_tensor_slices((x, 3 * x + 1)).batch(2)
    history = train.distributed(clipped).fit(lines, epochs=3, shuffle=False, verbose=0)
    kernel = clipped.layers[1].kernel.numpy().item()
    found["clipped"] = [history.history["loss"], kernel]

    # Infinite on the second device alone: no step is taken.
    scaled = keras.Sequential([
        keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones"),
    ])
    sgd = keras.optimizers.SGD(0.1)
    scaled.compile(keras.optimizers.LossScaleOptimizer(sgd), "mse")
    large = np.array([[0], [0], [1e25], [1e25]], "float32")
    one = tf.data.Dataset.from_tensor_slices((large, np.zeros((4, 1)))).batch(4)
    train.distributed(scaled).fit(one, verbose=0)
    found["scaled"] = scaled.layers[0].kernel.numpy().item()

    learn = kerasdl.Learner.from_model(build([]), data)  # predicts before it trains
    found["learner"] = learn.predict("valid").probabilities.tolist()

    with train.without_strategy(), tempfile.TemporaryDirectory() as answers:
        teacher = build([])
        teacher.set_weights([3 * weight for weight in teacher.get_weights()])
        taught = classification.TaughtPhotos(data, 8, teacher, 1, answers, seed=5)
    student = train.distributed(build([]))
    distiller = classification.distiller(student)
    distiller.compile(
        keras.optimizers.SGD(0.05), keras.losses.BinaryCrossentropy()
    )
    history = train.resumable_fit(
        *(distiller, taught.train, 3),
        callbacks=[classification.SplitEvaluation(student, data)],
        start_epoch=taught.start_epoch,
    )
    names = ["loss", "val_loss", "val_accuracy"]
    found["taught"] = {
        "history": history[names].to_dict("list"),
        "weights": [w.tolist() for w in student.get_weights()],
    }
if how == "mirrored":
    class Own(keras.Model):
        def train_step(self, data):
            return {}

    def message(call):
        try:
            call()
        except ValueError as error:
            return str(error)

    inputs = keras.Input((8, 8, 3))
    arrays = (images, labels)
    found["errors"] = [
        message(lambda: train.distributed(Own(inputs, inputs))),
        message(lambda: model.fit(*arrays)),
        message(lambda: data._with(batch_size=7)),
    ]
    accumulating = keras.optimizers.SGD(gradient_accumulation_steps=2)
    model.compile(accumulating, "binary_crossentropy")
    found["errors"].append(message(lambda: model.fit(data.train)))
    model.compile("sgd", "mse", steps_per_execution=2)
    found["errors"].append(message(lambda: model.fit(data.train)))
print(json.dumps(found), flush=True)
"""


ERRORS = (
    "`model` must train by Keras's own `train_step`",
    "`x` must be a tf.data.Dataset of batches under a strategy",
    "`batch_size`, of all devices together, must be a multiple",
    "`gradient_accumulation_steps` must be None under a strategy",
    "`steps_per_execution` must be 1 under a strategy",
)


def environment(index, ports):
    worker = [f"127.0.0.1:{port}" for port in ports]
    task = {"type": "worker", "index": index}
    config = {"cluster": {"worker": worker}, "task": task}
    return os.environ | {"TF_CONFIG": json.dumps(config)}


def free_ports():
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def start(how, folder, die_at=0, env=None):
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, how, str(folder), str(die_at)],
        cwd=REPOSITORY,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    output, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    return json.loads(output.splitlines()[-1])


def two_workers(folder, die_at=0):
    ports = free_ports()
    return [
        start("multi_worker", folder, die_at, environment(index, ports))
        for index in range(2)
    ]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return end(start("none", tmp_path_factory.mktemp("alone")))


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
    for column, losses in expected["taught"]["history"].items():
        ours = found["taught"]["history"][column]
        np.testing.assert_allclose(ours, losses, rtol=1e-4)
    weights = (of["taught"]["weights"] for of in (found, expected))
    for ours, wanted in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-3, atol=1e-5)
    for name, value in expected["evaluate"].items():
        assert found["evaluate"][name] == pytest.approx(value, rel=1e-4)


# Of 0, 2 on one device and 10, 14 on the other, half of which is taken, beside half of
# the mean 0 and the variance 1 that there are first.
SHARES = [[(0 + 1 + 0 + 12) / 4], [(1 + 1 + 1 + 4) / 4]]


def test_two_devices_and_two_processes_train_as_one(alone, tmp_path):
    """In one test, as two workers of pytest would each train alone first."""
    (tmp_path / "devices").mkdir()
    found = end(start("mirrored", tmp_path / "devices"))
    check_all(found, alone)
    assert found["moving"] == SHARES
    for message, wanted in zip(found["errors"], ERRORS, strict=True):
        assert wanted in message

    folder = tmp_path / "processes"
    folder.mkdir()
    found = [end(process) for process in two_workers(folder)]
    for worker in found:
        check_all(worker, alone)
    assert found[0]["moving"] == found[1]["moving"] == SHARES
    assert found[0]["plain"]["weights"] == found[1]["plain"]["weights"]
    assert found[0]["plain"]["history"] == found[1]["plain"]["history"]
    # Of the chief alone.
    assert sorted(path.name for path in folder.iterdir()) == ["norm.npz", "plain.npz"]


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


# At the end of the first epoch a machine that is told to dies.
RECIPE = """
import os, runpy, sys
from kerasdl import callbacks
folder, out, strategy, *more = sys.argv[1:]

def die(self, epoch, logs=None):
    if epoch == 0:
        os.kill(os.getpid(), 9)

if "die" in more:
    more.remove("die")
    callbacks.ExamplesPerSecond.on_epoch_end = die
options = ["--batch-size", "100", "--epochs", "2", "--seed", "3"]
sys.argv = ["mnist_convnet.py", "--data", folder, "--out", out, *options]
sys.argv += ["--strategy", strategy, *more]
runpy.run_path("recipes/mnist_convnet.py", run_name="__main__")
"""


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


def run_recipe(digits, out, strategy, *more, env=None):
    return subprocess.Popen(
        [sys.executable, "-c", RECIPE, str(digits), str(out), strategy, *more],
        cwd=REPOSITORY,
        env=env,
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
    ports = free_ports()
    workers = [
        run_recipe(
            *(digits, out, "multi_worker", *more, *(to_other if index else ())),
            env=environment(index, ports),
        )
        for index, out in enumerate(outs[:2])
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
    assert "epochs=3 (recorded: 2)" in errors[1]
    outs[0].mkdir()
    codes, errors = on_two_machines(digits, outs)
    assert codes == [2, 75], errors
    assert "must not exist" in errors[0]
