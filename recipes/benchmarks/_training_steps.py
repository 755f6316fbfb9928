"""Training steps of one network in a process of its own, a round at a time.

oneDNN is on or off for a whole process, and two frameworks in one would share threads.
So each competitor has a process, all are warmed up, and rounds go in turns.
"""

import csv
import json
import math
import os
import subprocess
import sys
import time
from collections import namedtuple
from statistics import median

Lesson = namedtuple("Lesson", "batch_size input_shape arguments")

# Batch and size as in the network's lesson: the Keras book's for its convnets, and for
# others Dive into Deep Learning's; what has none is as on CIFAR-10, or at 96x96.
LESSONS = {
    "mnist_convnet": Lesson(64, (28, 28, 1), {}),
    "convnet": Lesson(20, (150, 150, 3), {}),
    "lenet5": Lesson(256, (28, 28, 1), {}),
    "alexnet": Lesson(128, (224, 224, 1), {}),
    "vgg11": Lesson(128, (224, 224, 1), {"ratio": 4}),
    "nin": Lesson(128, (224, 224, 1), {}),
    "googlenet": Lesson(128, (96, 96, 1), {}),
    "resnet18": Lesson(256, (96, 96, 1), {}),
    "densenet_small": Lesson(256, (96, 96, 1), {}),
    "mobilenet_v1": Lesson(16, (96, 96, 3), {}),
    "mobilenet_v2": Lesson(16, (96, 96, 3), {}),
    "mobilenet_v3_small": Lesson(16, (96, 96, 3), {}),
    "squeezenet": Lesson(16, (96, 96, 3), {}),
    "vgg_small": Lesson(128, (32, 32, 3), {}),
    "mobilenet_small": Lesson(128, (32, 32, 3), {}),
    "inception_small": Lesson(128, (28, 28, 3), {}),
}
CLASSES = 10
RATE = 0.01
PAUSE = 0.3  # seconds, in which threads of the one before stop to wait for work
ROUND = 1.0  # seconds at least, beside which what a call of `fit` takes is little


class Worker:
    """A process that trains on one batch of random pixels, when it is told to.

    Args:
        framework: "keras" or "torch".
        network: key of `LESSONS`.
        mode: of "keras" a precision, and "+fused" for `train.fused_batch_norm`, "+fast"
            for `train.fast_convolutions`, "+xla" for `jit_compile`; of "torch"
            "default", "channels_last" or "compile".
        batch_size: None takes the lesson's.
        onednn: of "keras".
    """

    def __init__(self, framework, network, mode, batch_size=None, onednn=True):
        self.batch_size = batch_size or LESSONS[network].batch_size
        environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": str(int(onednn))}
        self.process = subprocess.Popen(
            [sys.executable, __file__, framework, network, mode, str(self.batch_size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def seconds(self, steps):
        """Seconds that each of `steps` steps takes, on average."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args[2:])} ended with an error")
        return json.loads(line) / steps

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def in_turns(workers, rounds, steps):
    """Median milliseconds of a step by name; `workers` start one after the other.

    A round has `steps` steps, or more for those that take little time.
    """
    running, counts = {}, {}
    try:
        for name, start in workers.items():
            running[name] = start()
            running[name].seconds(1)  # builds and compiles
            needed = math.ceil(ROUND / running[name].seconds(steps))
            counts[name] = max(steps, needed)
        found = {name: [] for name in running}
        for number in range(rounds):
            for name in list(running)[:: 1 if number % 2 else -1]:
                time.sleep(PAUSE)
                found[name].append(running[name].seconds(counts[name]))
    finally:
        for worker in running.values():
            worker.end()
    return {name: 1000 * median(values) for name, values in found.items()}


def write_row(path, row):
    """Add a row to a table, so that what comes after may fail."""
    if path:
        with path.open("a", newline="") as file:
            csv.writer(file).writerow(row)


def main():
    framework, network, mode, batch_size = sys.argv[1:]
    train = {"keras": keras_steps, "torch": torch_steps}[framework]
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever else prints
    train = train(network, mode, int(batch_size))
    for line in sys.stdin:
        began = time.perf_counter()
        train(int(line))
        print(json.dumps(time.perf_counter() - began), file=answers, flush=True)


def build(network, precision="float32"):
    """The network, and a batch of random pixels and labels."""
    import kerasdl

    kerasdl.runtime.start(precision)
    lesson = LESSONS[network]
    return getattr(kerasdl.models, network)(
        **{"input_shape": lesson.input_shape, "classes": CLASSES},
        **{"pixels": "unit", "seed": 1, **lesson.arguments},
    )


def draw_batch(network, batch_size):
    import numpy as np

    rng = np.random.default_rng(0)
    shape = (batch_size, *LESSONS[network].input_shape)
    pixels = rng.uniform(0, 255, shape).astype("float32")
    return pixels, rng.integers(0, CLASSES, batch_size)


def one_batch(*arrays):
    """A dataset of one batch, to `repeat`."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False  # its thread may hold up the end of `fit`
    return tf.data.Dataset.from_tensors(arrays).cache().with_options(options)


def keras_steps(network, mode, batch_size):
    """`model.fit` on the batch, again and again."""
    precision, *switches = mode.split("+")
    model = build(network, precision)
    import keras

    from kerasdl import train

    if "fused" in switches:
        train.fused_batch_norm(model)
    if "fast" in switches:
        train.fast_convolutions(model)
    model.compile(
        keras.optimizers.SGD(RATE),
        "sparse_categorical_crossentropy",
        jit_compile="xla" in switches,
    )
    batch = one_batch(*draw_batch(network, batch_size))
    return lambda steps: model.fit(batch.repeat(steps), shuffle=False, verbose=0)


def torch_steps(network, mode, batch_size):
    """The usual loop on the same batch, with the same layers."""
    import torch._dynamo  # brings an LLVM that refuses to come after TensorFlow's

    torch.set_num_threads(os.cpu_count())  # all of them, as TensorFlow takes
    model = build(network)
    from _torch_twin import TorchTwin

    torch.manual_seed(0)
    pixels, labels = draw_batch(network, batch_size)
    pixels = torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())
    labels = torch.from_numpy(labels)
    twin = TorchTwin(model).train()
    if mode == "channels_last":
        twin = twin.to(memory_format=torch.channels_last)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
    if mode == "compile":
        twin = torch.compile(twin)
    optimizer = torch.optim.SGD(twin.parameters(), RATE)
    loss_of = torch.nn.CrossEntropyLoss()

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = loss_of(twin(pixels), labels)
            loss.backward()
            optimizer.step()
        loss.item()

    return train


if __name__ == "__main__":
    main()
